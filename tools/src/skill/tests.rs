#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{Look, ToolError};

fn write(folder: &TempDir, path: &str, text: &str) {
    let file = folder.path().join(path);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
}

async fn probed(folder: &Path) -> Result<Offer, Off> {
    Folders(vec![folder.to_owned()]).probe().await
}

async fn read(offer: &Offer, name: &str) -> Result<crate::Output, ToolError> {
    let look = Look { incident_start: None, now: Timestamp::UNIX_EPOCH, cancel: CancellationToken::new() };
    offer.tools[0].call(json!({"name": name}), &look).await
}

const QUEUE: &str = "---\nname: queue-backlog\ndescription: >\n  Messages wait\n  in the queue\nlicense: MIT\n---\n\n# Look\nAt the consumers first.\n";

#[tokio::test]
async fn skills_are_found_two_levels_deep_told_by_name_and_read_without_front_matter() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder, "queue/SKILL.md", QUEUE);
    write(
        &folder,
        "shop/slow-checkout/SKILL.md",
        "---\ndescription: Checkout is slow\n---\nAsk the payment provider.\n",
    );
    write(&folder, "too/deep/for/SKILL.md", QUEUE);
    write(&folder, ".hidden/SKILL.md", QUEUE);
    let offer = probed(folder.path()).await.unwrap();
    assert_eq!(offer.notes, Vec::<String>::new());
    let told = offer.instructions.clone().unwrap();
    assert!(
        told.ends_with("- queue-backlog: Messages wait in the queue\n- slow-checkout: Checkout is slow\n"),
        "{told}"
    );
    let output = read(&offer, "Queue-Backlog").await.unwrap();
    assert_eq!(
        (output.title.as_str(), output.content.as_str()),
        ("skill queue-backlog", "# Look\nAt the consumers first.\n")
    );
    let unknown = read(&offer, "queue").await.unwrap_err().to_string();
    assert_eq!(unknown, "there is no skill \"queue\"; did you mean queue-backlog?");
}

#[tokio::test]
async fn a_catalog_of_the_older_form_is_read() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder, "books/dns.md", "# DNS\nLook at CoreDNS.\n");
    let catalog = json!({"catalog": [
        {"id": "dns", "update_date": "2025-01-01", "description": "Names don't resolve", "link": "books/dns.md"},
        {"id": "gone", "update_date": "2025-01-01", "description": "x", "link": "gone.md"}
    ]});
    write(&folder, "catalog.json", &catalog.to_string());
    let offer = probed(folder.path()).await.unwrap();
    assert_eq!(read(&offer, "dns").await.unwrap().content, "# DNS\nLook at CoreDNS.\n");
    assert!(
        offer.notes[0].ends_with("gone.md is left out: No such file or directory (os error 2)"),
        "{:?}",
        offer.notes
    );
}

#[tokio::test]
async fn what_leads_out_of_the_folder_is_refused() {
    let outside = tempfile::tempdir().unwrap();
    write(&outside, "SKILL.md", QUEUE);
    let folder = tempfile::tempdir().unwrap();
    write(&folder, "good/SKILL.md", "---\ndescription: Good\n---\nx\n");
    std::fs::create_dir(folder.path().join("linked")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("SKILL.md"), folder.path().join("linked/SKILL.md")).unwrap();
    std::os::unix::fs::symlink(outside.path(), folder.path().join("linked-folder")).unwrap();
    let link = format!("../{}/SKILL.md", outside.path().file_name().unwrap().to_string_lossy());
    let entry = |link: &str| json!({"id": link, "description": "x", "link": link});
    let catalog = json!({"catalog": [entry("/etc/passwd"), entry(&link), entry("https://example.com/x.md")]});
    write(&folder, "catalog.json", &catalog.to_string());
    let offer = probed(folder.path()).await.unwrap();
    assert!(offer.instructions.unwrap().ends_with("people.\n- good: Good\n"));
    let refused = offer.notes.iter().filter(|note| note.ends_with("it leads out of the folder")).count();
    assert_eq!((offer.notes.len(), refused), (5, 4), "{:?}", offer.notes);
}

#[tokio::test]
async fn a_mounted_config_map_is_read() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder, "..2026_01_01/SKILL.md", QUEUE);
    std::os::unix::fs::symlink("..2026_01_01", folder.path().join("..data")).unwrap();
    std::os::unix::fs::symlink("..data/SKILL.md", folder.path().join("SKILL.md")).unwrap();
    let offer = probed(folder.path()).await.unwrap();
    assert_eq!((offer.notes.len(), read(&offer, "queue-backlog").await.is_ok()), (0, true));
}

#[tokio::test]
async fn a_fault_is_told_and_no_skill_at_all_is_off() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder, "a/SKILL.md", "# No front matter\n");
    write(&folder, "b/SKILL.md", "---\nname: b\n---\nx\n");
    write(&folder, "c/SKILL.md", "---\ndescription: x\n");
    let Off(why) = probed(folder.path()).await.err().unwrap();
    assert!(why.starts_with("no skill in /"), "{why}");
    assert!(why.contains("a/SKILL.md is left out: has no front matter"), "{why}");
    assert!(why.contains("missing field `description`") && why.contains("its front matter has no end"), "{why}");
}

#[test]
fn the_tool_costs_at_most_60_tokens() {
    let tool = Read::new(Vec::new());
    let spec = tool.spec();
    let offered = json!({"name": spec.name, "description": spec.description, "parameters": spec.parameters});
    let tokens = tiktoken_rs::o200k_base().unwrap().encode_ordinary(&offered.to_string()).len();
    assert!(tokens <= 60, "{tokens}");
}

proptest! {
    #[test]
    fn any_text_has_a_front_matter_or_a_reason(text in "(---\n)?[ -~\n]{0,80}(---\n)?[ -~\n]{0,40}") {
        if let Err(why) = front::split(&text) {
            prop_assert!(!why.is_empty());
        }
    }
}
