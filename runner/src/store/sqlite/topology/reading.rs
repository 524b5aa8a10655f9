//! Look-ups in the topology.

use std::collections::BTreeSet;

use marple_core::{Labels, Links, ObjectRef};
use marple_tools::topology::Dependent;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteRow;

use super::super::column::{self, Columns};
use super::super::fault::Fault;
use super::{ANY, label, term};
use crate::store::{Placed, Step};

/// The longest chain of owners that is followed, so that a ring ends too.
const DEPTH: u32 = 8;

/// The most of what may select pods that is looked at: those by no label of a namespace are all among them.
const CANDIDATES: u32 = 1_000;

pub(super) async fn chains(
    readers: &SqlitePool,
    cluster: &str,
    objects: &[ObjectRef],
) -> Result<Vec<Vec<Step>>, Fault> {
    let wanted: Vec<[&str; 3]> = objects
        .iter()
        .map(|object| [&*object.kind, object.namespace.as_deref().unwrap_or_default(), &*object.name])
        .collect();
    let rows = sqlx::query(
        "WITH RECURSIVE chain AS ( \
             SELECT wanted.key AS number, 0 AS depth, object.kind, object.namespace, object.name, object.owner_api, \
                 object.owner_kind, object.owner_name, object.node FROM json_each(?2) AS wanted CROSS JOIN topology AS object \
                 ON object.cluster = ?1 AND object.kind = wanted.value ->> 0 AND object.namespace = wanted.value ->> 1 \
                     AND object.name = wanted.value ->> 2 \
             UNION ALL \
             SELECT chain.number, chain.depth + 1, object.kind, object.namespace, object.name, object.owner_api, \
                 object.owner_kind, object.owner_name, object.node FROM chain CROSS JOIN topology AS object \
                 ON object.cluster = ?1 AND object.kind = chain.owner_kind AND object.namespace = chain.namespace \
                     AND object.name = chain.owner_name \
                 WHERE chain.depth < ?3) \
         SELECT number, kind, namespace, name, owner_api, owner_kind, owner_name, node FROM chain ORDER BY number, depth",
    )
    .bind(cluster)
    .bind(column::json(&wanted)?)
    .bind(DEPTH)
    .fetch_all(readers)
    .await?;
    let mut chains = vec![vec![]; objects.len()];
    for row in &rows {
        let columns = Columns(row);
        if let Some(chain) = chains.get_mut(columns.count::<usize>("number")?) {
            chain.push(step(&columns)?);
        }
    }
    Ok(chains)
}

fn step(columns: &Columns<'_>) -> Result<Step, Fault> {
    let object = object(columns)?;
    let owner = columns.text_of("owner_kind")?.zip(columns.text_of("owner_name")?);
    let api = columns.text_of("owner_api")?.unwrap_or_default();
    let owner = owner.map(|(kind, name)| {
        let namespace = object.namespace.clone().filter(|_| kind != "Node");
        (api, ObjectRef { kind, namespace, name })
    });
    Ok(Step { object, owner, node: columns.text_of("node")? })
}

fn object(columns: &Columns<'_>) -> Result<ObjectRef, Fault> {
    let namespace = Some(columns.text("namespace")?).filter(|namespace| !namespace.is_empty());
    Ok(ObjectRef { kind: columns.text("kind")?, namespace, name: columns.text("name")? })
}

pub(super) async fn placed(readers: &SqlitePool, cluster: &str, wanted: &ObjectRef) -> Result<Option<Placed>, Fault> {
    let row = sqlx::query("SELECT * FROM topology WHERE cluster = ? AND kind = ? AND namespace = ? AND name = ?")
        .bind(cluster)
        .bind(wanted.kind.as_str())
        .bind(wanted.namespace.as_deref().unwrap_or_default())
        .bind(wanted.name.as_str())
        .fetch_optional(readers)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let columns = Columns(&row);
    let links = columns.json("links")?;
    Ok(Some(Placed { object: object(&columns)?, links, gone_at: columns.time_of("gone_at")? }))
}

pub(super) async fn dependents(
    readers: &SqlitePool,
    cluster: &str,
    wanted: &ObjectRef,
    most: u32,
) -> Result<Vec<Dependent>, Fault> {
    let rows = sqlx::query(
        "SELECT object.kind, object.namespace, object.name, object.gone_at, tie.tie FROM topology_ties AS tie \
             CROSS JOIN topology AS object ON object.id = tie.object \
         WHERE tie.cluster = ? AND tie.namespace = ? AND tie.term = ? ORDER BY object.gone_at IS NOT NULL LIMIT ?",
    )
    .bind(cluster)
    .bind(wanted.namespace.as_deref().unwrap_or_default())
    .bind(term(&wanted.kind, &wanted.name))
    .bind(most)
    .fetch_all(readers)
    .await?;
    let dependent = |row: &SqliteRow| {
        let columns = Columns(row);
        Ok(Dependent { object: object(&columns)?, tie: columns.word("tie")?, gone_at: columns.time_of("gone_at")? })
    };
    let mut found = rows.iter().map(dependent).collect::<Result<Vec<_>, Fault>>()?;
    found.sort();
    Ok(found)
}

pub(super) async fn selecting(
    readers: &SqlitePool,
    cluster: &str,
    namespace: &str,
    labels: &Labels,
) -> Result<Vec<ObjectRef>, Fault> {
    let terms: Vec<String> = labels.iter().map(|(name, value)| label(name, value)).chain([ANY.to_owned()]).collect();
    let rows = sqlx::query(
        "SELECT object.kind, object.namespace, object.name, object.links FROM json_each(?3) AS wanted \
             CROSS JOIN topology_ties AS tie \
             ON tie.cluster = ?1 AND tie.namespace = ?2 AND tie.term = wanted.value \
             CROSS JOIN topology AS object ON object.id = tie.object \
         WHERE object.gone_at IS NULL LIMIT ?4",
    )
    .bind(cluster)
    .bind(namespace)
    .bind(column::json(&terms)?)
    .bind(CANDIDATES)
    .fetch_all(readers)
    .await?;
    let mut found = BTreeSet::new();
    for row in &rows {
        let columns = Columns(row);
        let links: Links = columns.json("links")?;
        if links.selector.is_some_and(|selector| selector.matches(labels)) {
            found.insert(object(&columns)?);
        }
    }
    Ok(found.into_iter().collect())
}
