//! Calls that change something: worked out, shown, approved, and carried out to their end.

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::permission::{self, Permission};
use super::{CallOutcome, CallStatus, Toolbox};
use crate::gate::Changed;
use crate::{Look, Plan, Preview, Tool};

impl Toolbox {
    /// Makes a change that a person approves. What the person is shown is what is carried out.
    pub(super) async fn change(
        &self,
        tool: &dyn Tool,
        arguments: &Value,
        look: &Look,
        mut permission: Permission<'_>,
    ) -> CallOutcome {
        let name = tool.spec().name.to_string();
        let allowed = async {
            permission.asked_for()?;
            let plan = self.planned(tool, arguments, look).await?;
            let preview = plan.as_deref().map(|plan| self.shown(plan.preview()));
            permission.would_change(match &plan {
                None => Changed::Unknown,
                Some(plan) => plan.preview().object.as_ref().map_or(Changed::Nothing, Changed::Object),
            })?;
            let by = permission.obtain(preview.as_ref()).await?;
            Ok::<_, CallOutcome>((plan, by))
        };
        let (plan, by) = match allowed.await {
            Ok(allowed) => allowed,
            Err(outcome) => {
                permission.ended(&outcome).await;
                return outcome;
            }
        };
        let Some(plan) = plan else {
            let outcome = self.look(tool, &name, arguments.clone(), look).await;
            permission.ended(&outcome).await;
            return outcome;
        };
        // On its own from here: who asked may go away, but a change that was begun is carried out and recorded.
        let (toolbox, entry) = (self.clone(), permission.into_entry());
        let look = Look { cancel: CancellationToken::new(), ..look.clone() };
        let tool_name = name.clone();
        let carried_out = tokio::spawn(async move {
            let outcome = toolbox.carry_out(plan, &by.unwrap_or_default(), &tool_name, &look).await;
            permission::ended(&toolbox, entry.as_ref(), &outcome).await;
            outcome
        });
        carried_out.await.unwrap_or_else(|error| {
            let text = format!("{name} broke off ({error}); it may have been carried out: look before anything else");
            CallOutcome::nothing(CallStatus::Failed, &name, text)
        })
    }

    async fn planned(
        &self,
        tool: &dyn Tool,
        arguments: &Value,
        look: &Look,
    ) -> Result<Option<Box<dyn Plan>>, CallOutcome> {
        let name = &tool.spec().name;
        tokio::select! {
            biased;
            () = look.cancel.cancelled() => Err(CallOutcome::nothing(CallStatus::Cancelled, name, "cancelled")),
            planned = tokio::time::timeout(self.deadline, tool.plan(arguments.clone(), look)) => match planned {
                Ok(Ok(plan)) => Ok(plan),
                Ok(Err(error)) => Err(CallOutcome::failed(name, &error, self.clean(&error.to_string()))),
                Err(_) => {
                    let text = format!("{name} could not be worked out in {} s", self.deadline.as_secs_f64());
                    Err(CallOutcome::nothing(CallStatus::Cancelled, name, text))
                }
            },
        }
    }

    /// A preview as it may be shown.
    fn shown(&self, preview: &Preview) -> Preview {
        let Preview { title, object, diff, basis } = preview;
        Preview { title: self.clean(title), object: object.clone(), diff: self.clean(diff), basis: basis.clone() }
    }

    async fn carry_out(&self, plan: Box<dyn Plan>, by: &str, name: &str, look: &Look) -> CallOutcome {
        let carried_out = async {
            match plan.carry_out(by, look).await {
                Ok(output) => self.keep(output, name, look).await,
                Err(error) => CallOutcome::failed(name, &error, self.clean(&error.to_string())),
            }
        };
        tokio::time::timeout(self.deadline, carried_out).await.unwrap_or_else(|_| {
            let text = format!(
                "{name} gave no answer in {} s; it may have been carried out: look before anything else",
                self.deadline.as_secs_f64()
            );
            CallOutcome::nothing(CallStatus::Cancelled, name, text)
        })
    }
}
