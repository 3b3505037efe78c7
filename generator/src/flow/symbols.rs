//! The names that the templates of a scenario may use, and the slots they stand for.

use super::data::Table;
use super::error::Problem;
use super::place::{Given, Place};
use super::variable::Var;
use floodgate_core::check::Subject;
use floodgate_core::definition::{
    Auth, Body, Definition, HttpOptions, JsonTemplate, PartContent, RequestStep, Scenario, Step,
};
use floodgate_core::template::{Template, Variable};
use std::sync::Arc;

/// What templates of one scenario are resolved against.
pub(crate) struct SymbolTable<'a> {
    pub(crate) scenario: &'a str,
    pub(crate) task: u32,
    pub(crate) locals: Vec<String>,
    /// What setup has given.
    given: &'a Given,
    /// The data sources that the scenario uses, with their index in the definition.
    pub(crate) sources: Vec<(usize, String)>,
    pub(crate) tables: Vec<Arc<Table>>,
}

impl<'a> SymbolTable<'a> {
    /// Collects what `scenario` sets, extracts and reads. `tables` are those of the definition, in its order.
    pub(crate) fn collect(
        definition: &'a Definition,
        scenario: &'a Scenario,
        place: Place<'a>,
        tables: &[Arc<Table>],
    ) -> Result<Self, Problem> {
        let mut names = Self {
            scenario: &scenario.name,
            task: place.task,
            locals: Vec::new(),
            given: place.given,
            sources: Vec::new(),
            tables: Vec::new(),
        };
        collect_locals(&scenario.flow, &mut names.locals);
        for index in used_sources(definition, scenario) {
            let name = &definition.data[index].name;
            names.sources.push((index, name.clone()));
            names.tables.push(Arc::clone(
                tables
                    .get(index)
                    .ok_or_else(|| Problem::UnknownSource(name.clone()))?,
            ));
        }
        let most = names
            .tables
            .iter()
            .map(|t| t.columns().len())
            .chain([names.locals.len(), names.sources.len()])
            .max();
        if most > Some(usize::from(u16::MAX)) {
            return Err(Problem::TooMany(usize::from(u16::MAX)));
        }
        Ok(names)
    }

    /// What a variable stands for: a slot, or (`Err`) a text that no iteration changes.
    pub(crate) fn resolve(&self, variable: &Variable) -> Result<Result<Var, String>, Problem> {
        Ok(Ok(match variable {
            Variable::Vu => Var::Vu,
            Variable::Iteration => Var::Iteration,
            Variable::Scenario => return Ok(Err(self.scenario.to_owned())),
            Variable::Task => return Ok(Err(self.task.to_string())),
            Variable::Data { source, column } => self.column(source, column)?,
            Variable::Local(name) => match self.given.get(name) {
                Some(value) => return Ok(Err(value.clone())),
                None => Var::Local(self.local(name)?),
            },
            Variable::Open(written) => return Err(Problem::Open(written.clone())),
            Variable::Uuid => Var::Uuid,
            Variable::Now => Var::Now,
            Variable::IsoNow => Var::IsoNow,
            Variable::RandomInt(low, high) if low > high => {
                return Err(Problem::EmptyRange(*low, *high));
            }
            Variable::RandomInt(low, high) => Var::RandomInt(*low, *high),
            Variable::RandomString(length) => Var::RandomString(*length),
            // They are made of more than one value: see `Text::push_variable`.
            Variable::DateAdd { .. } | Variable::Call(_) => return Ok(Err(String::new())),
        }))
    }

    /// The slot of a variable.
    pub(crate) fn local(&self, name: &str) -> Result<u16, Problem> {
        let slot = self.locals.iter().position(|local| local == name);
        slot.map(|slot| slot as u16)
            .ok_or_else(|| Problem::UnknownVariable(name.to_owned()))
    }

    fn column(&self, source: &str, column: &str) -> Result<Var, Problem> {
        let index = self.sources.iter().position(|(_, name)| name == source);
        let index = index.ok_or_else(|| Problem::UnknownSource(source.to_owned()))?;
        let columns = self.tables[index].columns();
        let at =
            columns
                .iter()
                .position(|c| c == column)
                .ok_or_else(|| Problem::UnknownColumn {
                    origin: source.to_owned(),
                    column: column.to_owned(),
                    known: columns.join(", "),
                })?;
        Ok(Var::Data {
            source: index as u16,
            column: at as u16,
        })
    }
}

/// The variables that steps set, extract and walk through, each once.
pub(crate) fn collect_locals(steps: &[Step], locals: &mut Vec<String>) {
    fn add(name: &str, locals: &mut Vec<String>) {
        if !locals.iter().any(|local| local == name) {
            locals.push(name.to_owned());
        }
    }
    for step in steps {
        match step {
            Step::Request(request) => request
                .extract
                .iter()
                .for_each(|(name, _)| add(name, locals)),
            Step::Set(variables) => variables.iter().for_each(|(name, _)| add(name, locals)),
            Step::Each(each) => add(&each.variable, locals),
            _ => {}
        }
        for steps in step.blocks() {
            collect_locals(steps, locals);
        }
    }
}

/// The data sources that a scenario reads, by their index in the definition, in ascending order.
pub(crate) fn used_sources(definition: &Definition, scenario: &Scenario) -> Vec<usize> {
    let mut used = vec![false; definition.data.len()];
    each_column(scenario, &mut |source, _| {
        if let Some(index) = definition.data.iter().position(|data| data.name == source) {
            used[index] = true;
        }
    });
    (0..used.len()).filter(|&index| used[index]).collect()
}

/// Calls `visit` with the data source and the column of each reference in a scenario.
pub(crate) fn each_column(scenario: &Scenario, visit: &mut dyn FnMut(&str, &str)) {
    let mut look = |variable: &Variable| each_of(variable, visit);
    let mut all = |template: &Template| template.variables().for_each(&mut look);
    options(&scenario.http, &mut all);
    steps(&scenario.flow, &mut all);
    conditions(&scenario.flow, &mut look);
}

fn each_of(variable: &Variable, visit: &mut dyn FnMut(&str, &str)) {
    match variable {
        Variable::Data { source, column } => visit(source, column),
        Variable::Call(call) => {
            for variable in call.arguments.iter().flat_map(Template::variables) {
                each_of(variable, visit);
            }
        }
        _ => {}
    }
}

fn conditions(steps: &[Step], look: &mut dyn FnMut(&Variable)) {
    for step in steps {
        if let Some(Subject::Value(variable)) = step.condition().map(|check| &check.subject) {
            look(variable);
        }
        for steps in step.blocks() {
            conditions(steps, look);
        }
    }
}

fn options(http: &HttpOptions, look: &mut dyn FnMut(&Template)) {
    http.headers.iter().for_each(|(_, value)| look(value));
    http.auth.iter().for_each(|a| auth(a, look));
}

fn auth(auth: &Auth, look: &mut dyn FnMut(&Template)) {
    match auth {
        Auth::Basic { username, password } | Auth::Digest { username, password } => {
            look(username);
            look(password);
        }
        Auth::Bearer(token) => look(token),
    }
}

fn steps(all: &[Step], look: &mut dyn FnMut(&Template)) {
    for step in all {
        match step {
            Step::Request(step) => request(step, look),
            Step::Set(variables) => variables.iter().for_each(|(_, value)| look(value)),
            _ => {}
        }
        for inner in step.blocks() {
            steps(inner, look);
        }
    }
}

fn request(step: &RequestStep, look: &mut dyn FnMut(&Template)) {
    look(&step.url);
    step.params
        .iter()
        .chain(&step.headers)
        .for_each(|(_, value)| look(value));
    step.auth.iter().for_each(|a| auth(a, look));
    match &step.body {
        Body::Text(text) => look(text),
        Body::Json(value) => json(value, look),
        Body::Form(fields) => fields.iter().for_each(|(_, value)| look(value)),
        Body::Multipart(parts) => parts.iter().for_each(|part| {
            if let PartContent::Text(text) = &part.content {
                look(text);
            }
        }),
        Body::Empty | Body::File { .. } => {}
    }
}

fn json(value: &JsonTemplate, look: &mut dyn FnMut(&Template)) {
    match value {
        JsonTemplate::Literal(_) | JsonTemplate::Number(_) => {}
        JsonTemplate::String(text) => look(text),
        JsonTemplate::Array(items) => items.iter().for_each(|item| json(item, look)),
        JsonTemplate::Object(fields) => fields.iter().for_each(|(_, item)| json(item, look)),
    }
}
