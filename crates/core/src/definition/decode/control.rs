//! Steps that decide which others are done, and conditions.

use super::context::Decoder;
use super::template::Scope;
use crate::check::{Check, parse_json_path};
use crate::definition::keys::step;
use crate::definition::keys::step::control::{self, MOST_IN_ALL, MOST_LEVELS};
use crate::definition::model::{Branch, Each, Repeat, Step, Way};
use crate::definition::shape::scalar::hide;
use crate::definition::tree::{Content, Node, Piece, Scalar};
use crate::syntax::SyntaxError;
use crate::template::Variable;
use floodgate_records::printable::quoted;

impl Decoder<'_> {
    /// The steps of a flow or of a step with steps.
    pub(super) fn steps(&mut self, node: &Node, scope: &mut Scope) -> Vec<Step> {
        if scope.depth >= MOST_LEVELS {
            let issue = node.issue(format!("steps are nested deeper than {MOST_LEVELS} levels"));
            self.sink
                .push(issue.allowed(format!("at most {MOST_LEVELS} levels")));
            return Vec::new();
        }
        scope.depth += 1;
        let steps = node.items().iter();
        let steps = steps.filter_map(|node| {
            let step = self.step(node, scope);
            scope.more |= step::hides_names(node);
            self.tags_of_samples.more |= self.sink.has_errors_below(&node.path);
            step
        });
        let steps = steps.collect();
        scope.depth -= 1;
        steps
    }

    /// A step that decides about others; `None` of one that is none, or at fault.
    pub(super) fn control(&mut self, node: &Node, scope: &mut Scope) -> Option<Step> {
        if let Some(times) = control::REPEAT.place(node) {
            return self.repeat(node, times, scope);
        }
        if let Some(place) = control::IF.place(node) {
            let condition = self.condition(place, scope);
            let steps = self.inner(node, scope);
            let otherwise = control::ELSE.place(node);
            let otherwise = otherwise.map(|steps| self.steps(steps, scope));
            return Some(Step::If(Box::new(Branch {
                condition: condition?,
                steps,
                otherwise: otherwise.unwrap_or_default(),
            })));
        }
        if let Some(ways) = control::CHOOSE.place(node) {
            let ways = ways.items().iter().map(|way| Way {
                weight: control::WEIGHT.or_default(way),
                steps: self.inner(way, scope),
            });
            return Some(Step::Choose(ways.collect()));
        }
        if let Some(path) = control::EACH.place(node) {
            return self.each(node, path, scope);
        }
        control::STOP.is_given(node).then_some(Step::Stop)
    }

    /// Whether a step decides about others.
    pub(super) fn is_control(node: &Node) -> bool {
        let keys = [control::REPEAT, control::IF, control::EACH, control::STOP];
        keys.iter().any(|key| key.is_given(node)) || control::CHOOSE.is_given(node)
    }

    /// The key `steps`.
    pub(super) fn inner(&mut self, node: &Node, scope: &mut Scope) -> Vec<Step> {
        let steps = step::STEPS.place(node);
        steps.map_or_else(Vec::new, |steps| self.steps(steps, scope))
    }

    fn repeat(&mut self, node: &Node, times: &Node, scope: &mut Scope) -> Option<Step> {
        let condition = control::WHILE.place(times);
        let most = match condition {
            Some(_) => control::MAX.of(times),
            None => control::REPEAT_TIMES.of(node),
        };
        let condition = condition.map(|place| self.condition(place, scope));
        let steps = self.passes(node, times, most, scope);
        Some(Step::Repeat(Box::new(Repeat {
            most: most?,
            condition: match condition {
                Some(condition) => Some(condition?),
                None => None,
            },
            steps,
        })))
    }

    fn each(&mut self, node: &Node, path: &Node, scope: &mut Scope) -> Option<Step> {
        self.answered(path, scope);
        let variable = control::AS.or_default(node);
        if self.given.contains(&variable) {
            let issue = control::AS.place(node).unwrap_or(path);
            let issue = issue.issue(format!("{} is set by setup", quoted(&variable)));
            self.sink.push(issue.hint("name another one: as: NAME"));
        }
        scope.add(&variable);
        let most = control::MOST.or_default(node);
        let steps = self.passes(node, path, Some(most), scope);
        Some(Step::Each(Box::new(Each {
            path: parse_json_path(&path.text()?).ok()?,
            variable,
            most,
            steps,
        })))
    }

    /// The steps of a loop, whose passes multiply with those of the loops around it.
    fn passes(
        &mut self,
        node: &Node,
        place: &Node,
        most: Option<u32>,
        scope: &mut Scope,
    ) -> Vec<Step> {
        let outside = scope.passes;
        scope.passes = outside.saturating_mul(u64::from(most.unwrap_or(1)));
        if scope.passes > MOST_IN_ALL && outside <= MOST_IN_ALL {
            let issue = place.issue(format!(
                "with the loops around it, an iteration would do these steps {} times",
                scope.passes
            ));
            self.sink
                .push(issue.allowed(format!("at most {MOST_IN_ALL} times")));
        }
        let steps = self.inner(node, scope);
        scope.passes = outside;
        steps
    }

    /// A check of the last response, or of a variable: `${NAME}` in place of its subject.
    fn condition(&mut self, node: &Node, scope: &Scope) -> Option<Check> {
        let scalar = node.scalar()?;
        let check = match &scalar.content {
            Content::Broken => return None,
            Content::Pieces(pieces) => match pieces.as_slice() {
                [Piece::Expression { at, text, given }, rest @ ..] => {
                    let variable = scope.variable(*at, text, given);
                    let behind = at + text.len() + 1;
                    self.of_variable(node, variable, (rest, behind))?
                }
                _ => self.of_response(node, scalar, scope)?,
            },
            Content::AsWritten => self.of_response(node, scalar, scope)?,
        };
        match check {
            // It shows what is written, never what a secret became.
            Ok(check) => Some(Check {
                name: scalar.raw.clone(),
                ..check
            }),
            Err(error) => {
                self.sink.push(hide(node, scalar, error));
                None
            }
        }
    }

    fn of_response(
        &mut self,
        node: &Node,
        scalar: &Scalar,
        scope: &Scope,
    ) -> Option<Result<Check, SyntaxError>> {
        self.answered(node, scope);
        match scalar.text() {
            Some(_) if scalar.is_open() => None,
            Some(text) => Some(Check::parse(&text).inspect(|check| self.look_at(node, check))),
            None => Some(Err(variable_misplaced(&scalar.raw))),
        }
    }

    fn of_variable(
        &self,
        node: &Node,
        variable: Result<Variable, SyntaxError>,
        (rest, behind): (&[Piece], usize),
    ) -> Option<Result<Check, SyntaxError>> {
        let raw = &node.scalar()?.raw;
        let variable = match variable {
            Ok(variable) => variable,
            Err(error) => return Some(Err(error)),
        };
        let mut test = String::new();
        for piece in rest {
            match piece {
                Piece::Literal(text) | Piece::Resolved { text, .. } => test.push_str(text),
                Piece::Open { .. } => return None,
                Piece::Expression { .. } => return Some(Err(variable_misplaced(raw))),
            }
        }
        let from = behind.min(raw.len());
        Some(Check::of_value(variable, &test).map_err(|error| error.within(from..raw.len())))
    }

    /// Reports a look at a response where none can have come yet.
    fn answered(&mut self, place: &Node, scope: &Scope) {
        if !scope.answered {
            let issue = place.issue("no request stands before this step, so there is no response");
            self.sink.push(issue.hint(
                "move it behind the request that it is about, or name a variable: ${NAME} == \"…\"",
            ));
        }
    }
}

fn variable_misplaced(raw: &str) -> SyntaxError {
    let at = raw.get(1..).and_then(|rest| rest.find("${"));
    let at = at.map_or(0, |at| at + 1);
    SyntaxError::new(
        at,
        "a variable can stand only at the beginning of a condition",
    )
    .allowed("${NAME} == \"text\", or a check such as status == 200")
}
