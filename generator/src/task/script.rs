//! A task whose load an external engine sends: the same plan, start, shards and manifest, around a process.

mod together;

use super::base::Task;
use super::control::{self, Begin};
use super::error::TaskError;
use super::files::{BaseFolder, temporary};
use super::manifest::{Findings, folded};
use super::threads::{join, resume};
use crate::clock::{boot_time, unix_ms};
use crate::environment::Level;
use crate::flush::FlushConfig;
use crate::health::Limits;
use crate::script::{Child, Ended, Fed, FeedConfig, Heard, OutputSource, Signals, feed};
use crate::standstill::{Standstills, Stops, as_us};
use floodgate_core::definition::model::Definition;
use floodgate_core::fold::Folding;
use floodgate_engines::{Control, ControlError, Exit, Job, Launch};
use floodgate_records::control::StopReason;
use floodgate_records::manifest::{Manifest, ScriptSays, TaskOutcome};
use floodgate_records::metric::Tags;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::Builder;
use std::time::Duration;
use together::Flags;

/// How often it is looked at whether the engine's output can still be read.
const LOOK: Duration = Duration::from_millis(50);

/// What became of the engine.
struct EngineRun {
    stopped_by: Option<String>,
    ended: Result<Ended, String>,
    /// Why the teardown failed.
    teardown: Option<ControlError>,
    /// Whether the engine's word counts where it wrote no sample.
    believed: bool,
    /// How long it, or this process, stood still at most.
    standstill: Duration,
}

impl Task {
    /// Runs the definition's script to its end.
    pub(super) async fn run_script(
        mut self,
        definition: Definition,
        base: BaseFolder,
    ) -> Result<Manifest, TaskError> {
        let limits = Limits::raise();
        let mut warnings = self.config.environment.warnings.clone();
        // What it writes beside shards.
        let scratch = temporary(&self.plan.execution)?;
        let mut launch = self.launch(&definition, base.path(), scratch.path())?;
        warnings.append(&mut launch.warnings);
        let source = OutputSource::new(launch.output.clone())
            .map_err(TaskError::system("no place for the engine's output"))?;

        let environment = self.config.environment.clone();
        let mut early = None;
        if let Some(control) = &launch.control {
            let mut child = self.start_engine(&launch)?;
            if let Some(by) = self.make_ready(control, &mut child).await? {
                return self.finish_unstarted(by, warnings).await;
            }
            early = Some(child);
        }
        self.say_ready(&warnings).await?;
        let start_ms = match self.begin().await? {
            Begin::At(start_ms) => start_ms,
            Begin::Never { by } => return self.finish_unstarted(by, warnings).await,
        };
        (environment.log)(Level::Info, &format!("starts at {start_ms}"));
        let lead = u64::try_from(start_ms - unix_ms()).unwrap_or(0);
        tokio::time::sleep(Duration::from_millis(lead)).await;

        let mut child = match early {
            Some(child) => child,
            None => self.start_engine(&launch)?,
        };
        let (outbox, delivering) = self.outbox();
        let signals = Signals::default();
        let config = FeedConfig {
            flush: FlushConfig {
                usable_cpus: environment.limits.cpus,
                ..self.flush_config(start_ms, &definition)
            },
            max_series: definition.run.max_series,
            folding: Arc::new(Folding::of(&definition)),
            tags: Tags(definition.tags.clone()),
            cpu: child.cpu(),
        };
        let (reader, told) = (launch.reader, signals.clone());
        let feeding = Builder::new()
            .name("feed".to_owned())
            .spawn(move || feed(config, outbox, source, reader, &told))
            .map_err(TaskError::system("no thread for the output"))?;

        let (control, believed) = (launch.control, launch.is_believed);
        if let Some(control) = control.clone() {
            let resumed = together::blocking(move || control.resume()).await;
            if let Err(error) = resumed {
                (environment.log)(Level::Error, &error.to_string());
                // It cannot be started: it ends, and its end is told.
                child.ask_to_stop();
            }
        }
        let mut run = self.stay_with(&mut child, control.as_ref(), &signals).await;
        run.believed = believed;
        signals.ended.store(true, Ordering::Release);
        if let (None, Some(why)) = (&run.stopped_by, aborted(&run)) {
            let by = together::by_script(self.config.task, &why);
            let until = tokio::time::Instant::now() + environment.patience;
            let order = (StopReason::Script, by);
            control::order_stop(&*self.store, &self.keys, order, until, &environment.log).await;
        }
        let fed = tokio::task::spawn_blocking(move || join(feeding))
            .await
            .unwrap_or_else(|error| resume(error.into_panic()));
        let mut delivered = delivering
            .await
            .unwrap_or_else(|error| resume(error.into_panic()));
        let lost = delivered.lost.clone();
        let until = delivered.patience_ends;
        let said = std::mem::take(&mut delivered.warnings);
        let (outcome, mut findings) = report(run, fed, lost.clone(), said);
        warnings.append(&mut findings.warnings);
        let findings = Findings {
            planned_start_ms: start_ms,
            warnings,
            ..findings
        };
        let manifest = self.manifest(outcome, findings, delivered, limits);
        if let TaskOutcome::Failed { error } = &manifest.outcome {
            (environment.log)(Level::Error, error);
        }
        self.deliver(manifest, lost, until).await
    }

    fn start_engine(&self, launch: &Launch) -> Result<Child, TaskError> {
        let environment = &self.config.environment;
        Child::start(
            launch,
            environment.guard.as_ref(),
            Arc::clone(&environment.console),
        )
        .map_err(TaskError::system(cannot_start(launch)))
    }

    /// What is to be started.
    fn launch(
        &self,
        definition: &Definition,
        folder: &Path,
        scratch: &Path,
    ) -> Result<Launch, TaskError> {
        let weights: Vec<_> = self.plan.tasks.iter().map(|task| task.weight).collect();
        let index = self.config.task;
        let place = self.plan.tasks.iter().position(|task| task.index == index);
        let script = definition.script.as_deref().unwrap_or_default();
        // A relative path means another folder to the engine than to this process.
        let folder =
            std::path::absolute(folder).map_err(TaskError::system(folder.display().to_string()))?;
        let refused: Vec<_> = self
            .targets
            .refused()
            .iter()
            .map(ToString::to_string)
            .collect();
        let job = Job {
            folder: &folder,
            refused: &refused,
            script,
            scratch,
            weights: &weights,
            place: place.unwrap_or_default(),
            target: definition.target.as_deref(),
            parameters: &definition.parameters,
            max_duration: definition.run.max_duration,
            home: None,
            cpus: Some(self.config.environment.limits.cpus),
            memory: self.config.environment.limits.memory,
        };
        Ok(floodgate_engines::launch(definition.engine, &job)?)
    }

    /// Waits for the engine's end, and passes on an order to stop, the deadline, and that its output cannot be read. An engine that is led
    /// over its control ends when all others have, after its teardown.
    async fn stay_with(
        &mut self,
        child: &mut Child,
        control: Option<&Arc<dyn Control>>,
        signals: &Signals,
    ) -> EngineRun {
        let leads = control.filter(|control| control.leads());
        let flags = Flags::default();
        let leading = self.lead(leads.cloned(), flags.clone());
        let mut leading = std::pin::pin!(leading);
        let ordered = control::stop_ordered(&*self.store, &self.keys, &self.plan);
        let mut ordered = std::pin::pin!(ordered);
        let (mut stopped_by, mut led, mut teardown) = (None, leads.is_none(), None);
        let mut given_up = None;
        let mut standstills = Standstills::since(boot_time(), LOOK);
        let mut stops = Stops::default();
        let ended = loop {
            standstills.begin(boot_time());
            let by = tokio::select! {
                ended = child.wait() => break ended,
                () = tokio::time::sleep(LOOK) => {
                    stops.look(boot_time(), child.is_stopped());
                    if signals.broken.load(Ordering::Acquire)
                        || given_up.is_some_and(|at| tokio::time::Instant::now() >= at)
                    {
                        child.ask_to_stop();
                    }
                    (unix_ms() >= self.plan.deadline_ms).then(|| "deadline".to_owned())
                }
                failed = &mut leading, if !led => {
                    led = true;
                    teardown = failed;
                    child.ask_to_stop();
                    None
                }
                by = &mut ordered, if stopped_by.is_none() => Some(by),
                by = control::stop_signalled(&mut self.stop), if stopped_by.is_none() => Some(by),
            };
            standstills.look(boot_time());
            if stopped_by.is_none() && by.is_some() {
                stopped_by = by;
                match leads.cloned() {
                    // It ends its load and stays for its teardown.
                    Some(control) if !led => {
                        flags.stopped.store(true, Ordering::Release);
                        given_up = Some(tokio::time::Instant::now() + together::LAST_PATIENCE);
                        let is_over = flags.over.load(Ordering::Acquire);
                        if !is_over && together::blocking(move || control.halt()).await.is_err() {
                            child.ask_to_stop();
                        }
                    }
                    _ => child.ask_to_stop(),
                }
            }
        };
        standstills.look(boot_time());
        EngineRun {
            stopped_by,
            ended: ended.map_err(|error| format!("cannot be waited for: {error}")),
            teardown,
            believed: false,
            standstill: standstills.longest().max(stops.longest()),
        }
    }
}

/// How a task ended, and what the engine and its output have to say; `said` are warnings of the delivery.
fn report(
    run: EngineRun,
    fed: Fed,
    lost: Option<String>,
    mut said: Vec<String>,
) -> (TaskOutcome, Findings) {
    let Fed {
        mut warnings,
        totals,
        durations,
        kept_tags,
        mut health,
        broken,
        began_us,
    } = fed;
    warnings.append(&mut said);
    health.standstill_max_us = as_us(run.standstill);
    warnings.extend(folded(&totals));
    // Where its exit code says nothing, an engine that never began would look like one with nothing to do.
    let broken = match (&run.stopped_by, began_us) {
        (None, None) if !run.believed => broken.or_else(|| Some("it wrote no sample".to_owned())),
        _ => broken,
    };
    if let (Some(by), Ok(ended)) = (&run.stopped_by, &run.ended)
        && ended.killed
    {
        warnings.push(format!(
            "the engine did not stop when it was asked to ({by}), and was killed"
        ));
    }
    let heard = run.ended.as_ref().map(|ended| &ended.heard);
    warnings.extend(heard.map(Heard::warnings).unwrap_or_default());
    if let Some(failed) = &run.teardown {
        warnings.push(format!("{failed}; what it was to clean up is still there"));
    }
    let findings = Findings {
        start_skew_us: began_us.unwrap_or(0).max(0),
        totals,
        durations,
        script: says(&run, began_us.is_some()),
        kept_tags,
        health,
        warnings,
        ..Findings::default()
    };
    (outcome(lost, broken, run), findings)
}

/// What the script says of the run.
fn says(run: &EngineRun, began: bool) -> ScriptSays {
    let ended = run.ended.as_ref().ok();
    let heard = ended.map(|ended| ended.heard.clone()).unwrap_or_default();
    let is_marked = ended.is_some_and(|ended| ended.exit == Exit::Marked);
    let marked = match heard.failed {
        Some(why) if !why.is_empty() => {
            Some(format!("the script marked the test as failed: {why}"))
        }
        Some(_) => Some("the script marked the test as failed".to_owned()),
        None => is_marked.then(|| "the script marked the test as failed".to_owned()),
    };
    ScriptSays {
        failed: marked.or_else(|| run.teardown.as_ref().map(ToString::to_string)),
        idle: !began && run.believed && run.stopped_by.is_none(),
        exceptions: heard.exceptions,
        exception: heard.exception,
    }
}

/// Why the script has ended the test, if it has.
fn aborted(run: &EngineRun) -> Option<String> {
    let ended = run.ended.as_ref().ok()?;
    ended.heard.aborted.clone().or(match ended.exit {
        Exit::Aborted { meaning } => Some(meaning.to_owned()),
        _ => None,
    })
}

/// What is lost comes first, then what could not be read, then the engine's own end. An engine that was told to stop may end as it
/// likes.
fn outcome(lost: Option<String>, broken: Option<String>, run: EngineRun) -> TaskOutcome {
    let failed = |error: String| TaskOutcome::Failed { error };
    match (lost, broken, run.stopped_by, run.ended) {
        (Some(error), ..) => failed(error),
        (None, Some(problem), _, Ok(ended)) => {
            failed(format!("{problem}; the engine {}", ended.said))
        }
        (None, Some(problem), _, Err(_)) => failed(problem),
        (None, None, Some(by), _) => TaskOutcome::Stopped { by },
        (None, None, None, Err(problem)) => failed(format!("the engine {problem}")),
        (None, None, None, Ok(ended)) => match ended.exit {
            Exit::Completed | Exit::Stopped if ended.heard.aborted.is_some() => {
                TaskOutcome::Stopped {
                    by: format!("its script: {}", ended.heard.aborted.unwrap_or_default()),
                }
            }
            Exit::Completed | Exit::Marked => TaskOutcome::Completed,
            Exit::Stopped => TaskOutcome::Stopped {
                by: format!("somebody past floodgate: the engine {}", ended.said),
            },
            Exit::Aborted { .. } => TaskOutcome::Stopped {
                by: format!("its script: the engine {}", ended.said),
            },
            Exit::Failed { .. } => failed(format!("the engine {}", ended.said)),
        },
    }
}

fn cannot_start(launch: &Launch) -> String {
    let program = launch.command.first().cloned().unwrap_or_default();
    format!("{} cannot be started", program.to_string_lossy())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn run(by: Option<&str>, exit: Exit) -> EngineRun {
        EngineRun {
            stopped_by: by.map(str::to_owned),
            ended: Ok(Ended {
                exit,
                said: "ended with code 7".into(),
                killed: false,
                heard: Heard::default(),
            }),
            teardown: None,
            believed: true,
            standstill: Duration::ZERO,
        }
    }

    #[test]
    fn an_engines_end_becomes_the_tasks() {
        let odd = Exit::Failed { meaning: "odd" };
        assert_eq!(
            outcome(None, None, run(None, Exit::Completed)),
            TaskOutcome::Completed
        );
        // Told to stop, it may say what it likes.
        assert_eq!(
            outcome(None, None, run(Some("ann"), odd.clone())),
            TaskOutcome::Stopped { by: "ann".into() }
        );
        let error = |outcome: TaskOutcome| match outcome {
            TaskOutcome::Failed { error } => error,
            other => panic!("{other:?}"),
        };
        assert_eq!(
            error(outcome(None, None, run(None, odd))),
            "the engine ended with code 7"
        );
        assert_eq!(
            error(outcome(
                None,
                Some("line 3: rubbish".into()),
                run(Some("ann"), Exit::Completed)
            )),
            "line 3: rubbish; the engine ended with code 7",
            "what could not be read is lost even if somebody stopped the run"
        );
        assert_eq!(
            error(outcome(
                Some("disk full".into()),
                Some("x".into()),
                run(None, Exit::Completed)
            )),
            "disk full"
        );
        let aborted = outcome(
            None,
            None,
            run(
                None,
                Exit::Aborted {
                    meaning: "test.abort()",
                },
            ),
        );
        assert!(matches!(&aborted, TaskOutcome::Stopped { by } if by.starts_with("its script")));
        // JMeter ends with 0, and says it in words.
        let mut by_words = run(None, Exit::Completed);
        if let Ok(ended) = &mut by_words.ended {
            ended.heard.aborted = Some("a thread ended the test".into());
        }
        assert_eq!(
            super::aborted(&by_words).unwrap(),
            "a thread ended the test"
        );
        let by = "its script: a thread ended the test".to_owned();
        assert_eq!(outcome(None, None, by_words), TaskOutcome::Stopped { by });
    }

    #[test]
    fn a_script_that_marks_the_test_as_failed_has_finished_its_part() {
        let mut marked = run(None, Exit::Marked);
        let says = |run: &EngineRun| super::says(run, true).failed.unwrap_or_default();
        assert_eq!(says(&marked), "the script marked the test as failed");
        if let Ok(ended) = &mut marked.ended {
            ended.heard.failed = Some("too many orders".into());
        }
        assert_eq!(
            says(&marked),
            "the script marked the test as failed: too many orders"
        );
        assert_eq!(outcome(None, None, marked), TaskOutcome::Completed);
        let mut torn = run(None, Exit::Completed);
        torn.teardown = Some(ControlError::Function {
            function: "teardown",
            problem: "Error: boom".into(),
        });
        assert_eq!(says(&torn), "teardown() failed: Error: boom");
        assert!(super::says(&run(None, Exit::Completed), false).idle);
        assert!(super::says(&run(None, Exit::Completed), true).is_nothing());
        assert!(!super::says(&run(Some("ann"), Exit::Completed), false).idle);
    }
}
