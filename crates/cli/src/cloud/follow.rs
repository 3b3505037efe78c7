//! Staying with a run in the cloud to its end. The run does not depend on it: a lost connection is waited out, and whoever
//! leaves can come back.

use super::machine::{Machine, Stand, exit_code};
use crate::args::ShowArgs;
use crate::clock::now_ms;
use crate::env::Environment;
use crate::error::{CliError, Result};
use crate::load::load_stored;
use crate::output::say;
use crate::signals::Signals;
use crate::view::{Title, View, view};
use floodgate_control::watch::Observer;
use floodgate_control::{ControlError, Stores, Trail, load_plan, load_summary, stop_by_person};
use floodgate_records::execution::Execution;
use floodgate_records::summary::Summary;
use std::time::Duration;

/// Steps between two looks at the state machine.
const LOOK_EVERY: u32 = 5;
/// Looks at a state machine that has ended without a final record, before that is reported: reap is called then, and closes it.
const PATIENCE: u32 = 24;

/// What is followed, and how.
pub(crate) struct Follow<'a, M> {
    /// Where it lies.
    pub(crate) stores: &'a Stores,
    /// What runs it.
    pub(crate) machine: &'a M,
    /// The execution's whole id.
    pub(crate) id: &'a str,
    /// Its project, as far as that is known.
    pub(crate) project: Option<String>,
    /// What its references stand for.
    pub(crate) env: &'a Environment,
    /// Who orders it to stop, if somebody does.
    pub(crate) by: &'a str,
    /// What is shown.
    pub(crate) show: ShowArgs,
    /// Between two looks.
    pub(crate) pace: Duration,
}

/// A run that is over.
#[derive(Debug)]
pub(crate) struct EndedRun {
    /// Its final record.
    pub(crate) execution: Execution,
    /// The published account; `None` if it ended before there was anything to sum up.
    pub(crate) summary: Option<Summary>,
}

/// Follows a run to its end. The first signal orders it to stop and waits for the verdict, the second one leaves it.
///
/// # Errors
/// A run that ended before it had a record, with the cause; a second signal; what the services refuse for good.
pub(crate) async fn follow<M: Machine>(
    run: Follow<'_, M>,
    signals: &mut Signals,
) -> Result<EndedRun> {
    let pace = run.pace;
    let mut at = At::new(run);
    let ended = loop {
        match at.step().await {
            Ok(Some(ended)) => break Ok(ended),
            Ok(None) => at.connected(),
            Err(error) if error.is_temporary() => at.disconnected(&error),
            Err(error) => break Err(error),
        }
        tokio::select! {
            () = tokio::time::sleep(pace) => {}
            (signal, times) = signals.next() => {
                if times > 1 {
                    break Err(CliError::Left { signal, id: at.run.id.to_owned(), ordered: at.ordered });
                }
                at.note(&format!("{signal}: the run is told to stop in order; once more to leave it"));
                at.stop_wanted = true;
            }
        }
    };
    if let Some(view) = &mut at.view {
        view.close();
    }
    ended
}

/// Where the following stands.
struct At<'a, M> {
    run: Follow<'a, M>,
    view: Option<Box<dyn View>>,
    observer: Option<Observer>,
    steps: u32,
    ended_looks: u32,
    lost: bool,
    stop_wanted: bool,
    ordered: bool,
    blind: bool,
}

impl<'a, M: Machine> At<'a, M> {
    fn new(run: Follow<'a, M>) -> Self {
        Self {
            run,
            view: None,
            observer: None,
            steps: 0,
            ended_looks: 0,
            lost: false,
            stop_wanted: false,
            ordered: false,
            blind: false,
        }
    }

    fn note(&mut self, text: &str) {
        match &mut self.view {
            Some(view) => view.note(text),
            None => say!("{text}"),
        }
    }

    fn disconnected(&mut self, error: &CliError) {
        if !self.lost {
            self.note(&format!("{error}; the run goes on, trying again"));
            self.lost = true;
        }
    }

    fn connected(&mut self) {
        if self.lost {
            self.note("connected again");
            self.lost = false;
        }
    }

    /// One look. A repetition after an error does no harm.
    async fn step(&mut self) -> Result<Option<EndedRun>> {
        let stores = self.run.stores;
        let found = stores
            .records
            .get(self.run.project.as_deref(), self.run.id)
            .await?;
        if let Some(execution) = &found
            && execution.status.is_final()
        {
            let summary = load_summary(stores, &execution.project, &execution.id).await?;
            return Ok(found.map(|execution| EndedRun { execution, summary }));
        }
        let look = self.steps.is_multiple_of(LOOK_EVERY);
        self.steps = self.steps.wrapping_add(1);
        if look {
            self.look(found.as_ref()).await?;
        }
        let Some(execution) = found else {
            return Ok(None);
        };
        if self.stop_wanted && !self.ordered {
            self.order_stop(&execution).await?;
        }
        self.observe(&execution).await?;
        Ok(None)
    }

    /// Whether the state machine still works on it.
    async fn look(&mut self, execution: Option<&Execution>) -> Result<()> {
        let id = self.run.id;
        let (error, cause) = match self.run.machine.look(id).await? {
            Some(Stand::Running) => return Ok(()),
            Some(Stand::Failed { error, cause }) => (error, cause),
            Some(Stand::Succeeded(_)) => ("SUCCEEDED".into(), "its record is not final".into()),
            None if execution.is_some() => return Ok(()),
            None => {
                return Err(ControlError::UnknownExecution {
                    id: id.to_owned(),
                    nearest: None,
                }
                .into());
            }
        };
        self.ended_looks += 1;
        if execution.is_some() && self.ended_looks < PATIENCE {
            return Ok(());
        }
        // Its record may have been written between the two looks.
        if execution.is_none() && self.ended_looks < 2 {
            self.steps = 0;
            return Ok(());
        }
        Err(CliError::Cloud {
            what: format!("execution {id} ended without a verdict"),
            source: match cause.is_empty() {
                true => error.clone().into(),
                false => format!("{cause} ({error})").into(),
            },
            remedy: String::new(),
            temporary: false,
            code: exit_code(&error),
        })
    }

    async fn order_stop(&mut self, execution: &Execution) -> Result<()> {
        // The functions note it: a runner may write no records.
        let trail = Trail::AtTheEnd;
        stop_by_person(self.run.stores, execution, self.run.by, trail, now_ms()).await?;
        self.ordered = true;
        Ok(())
    }

    /// Shows how it stands.
    async fn observe(&mut self, execution: &Execution) -> Result<()> {
        if self.observer.is_none() && !self.blind {
            self.begin(execution).await?;
        }
        if let Some(observer) = &mut self.observer {
            let progress = observer.look(now_ms()).await?;
            if let Some(view) = &mut self.view {
                view.update(progress);
            }
        }
        Ok(())
    }

    async fn begin(&mut self, execution: &Execution) -> Result<()> {
        let stores = self.run.stores;
        let plan = match load_plan(stores, execution).await {
            Ok(plan) => plan,
            // The record comes before the plan.
            Err(ControlError::Missing { .. }) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        let title = Title {
            test: execution.test.clone(),
            target: execution
                .target
                .clone()
                .unwrap_or_else(|| "the URLs of its steps".into()),
            id: execution.id.clone(),
            generators: u32::try_from(plan.tasks.len()).unwrap_or(u32::MAX),
        };
        self.view = Some(view(&title, self.run.show.quiet));
        for warning in &execution.warnings {
            self.note(warning);
        }
        let mut env = self.run.env.clone();
        for (name, value) in &plan.env {
            env = env.with(name, value);
        }
        match load_stored(stores, &plan, &env).await {
            Ok(definition) => {
                self.observer = Some(Observer::new(stores.clone(), plan, definition));
            }
            Err(error) if error.is_temporary() => return Err(error),
            Err(error) => {
                self.note(&format!("its progress cannot be shown: {error}"));
                self.blind = true;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
