//! What was looked at before anything is run: what is well, what is missing, what could not be looked at, each with its remedy.

use crate::style::{Align, Style, Tone, plain, table};
use serde_json::{Value, json};

/// The layout of [`Diagnosis::json`].
const SCHEMA: u32 = 1;

/// All that was looked at, in the order in which it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnosis {
    /// One by one.
    pub checks: Vec<Check>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Where it lies.
    pub area: Area,
    /// What it is: a few lower-case words, the same each time.
    pub name: String,
    /// How it stands.
    pub state: State,
    /// What was found, with the figure and its limit.
    pub found: String,
    /// What to do about it, unless all is well.
    pub remedy: Option<String>,
}

/// Where something lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Area {
    /// This machine.
    Here,
    /// The account on AWS, and the stack in it.
    Account,
}

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Well.
    Ok,
    /// Not there, which matters to whoever needs it.
    Absent,
    /// It limits what can be done.
    Warning,
    /// Nothing can be run like that.
    Blocked,
    /// It could not be looked at: it may be anything.
    Unknown,
}

impl State {
    /// As the JSON has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Absent => "absent",
            Self::Warning => "warning",
            Self::Blocked => "blocked",
            Self::Unknown => "unknown",
        }
    }

    const fn sign(self) -> (Tone, &'static str) {
        match self {
            Self::Ok => (Tone::Good, "✓"),
            Self::Absent => (Tone::Dim, "–"),
            Self::Warning => (Tone::Warn, "!"),
            Self::Blocked => (Tone::Bad, "✗"),
            Self::Unknown => (Tone::Warn, "?"),
        }
    }
}

impl Area {
    const ALL: [Self; 2] = [Self::Here, Self::Account];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Account => "account",
        }
    }

    const fn heading(self) -> &'static str {
        match self {
            Self::Here => "this machine",
            Self::Account => "the account and the stack",
        }
    }
}

impl Check {
    /// Something that is well.
    pub fn ok(area: Area, name: impl Into<String>, found: impl Into<String>) -> Self {
        Self {
            area,
            name: name.into(),
            state: State::Ok,
            found: found.into(),
            remedy: None,
        }
    }

    /// The same in another state, with what to do about it.
    #[must_use]
    pub fn but(mut self, state: State, remedy: impl Into<String>) -> Self {
        self.state = state;
        self.remedy = Some(remedy.into());
        self
    }
}

impl Diagnosis {
    /// 0 if everything could be looked at and nothing blocks, 1 if something blocks, 2 if nothing is known to block, but not
    /// everything could be looked at.
    pub fn exit_code(&self) -> u8 {
        match (self.count(State::Blocked), self.count(State::Unknown)) {
            (0, 0) => 0,
            (0, _) => 2,
            _ => 1,
        }
    }

    fn count(&self, state: State) -> usize {
        let all = self.checks.iter();
        all.filter(|check| check.state == state).count()
    }

    /// For a person.
    pub fn text(&self, style: Style) -> String {
        let mut text = String::new();
        for area in Area::ALL {
            let checks = self.checks.iter().filter(|check| check.area == area);
            let rows: Vec<_> = checks.flat_map(rows).collect();
            if !rows.is_empty() {
                let columns = [("", Align::Left), ("", Align::Left), ("", Align::Wrap)];
                text += &style.strong(area.heading(), Tone::Plain);
                text += "\n";
                text += &table(style, &columns, rows);
                text += "\n";
            }
        }
        text + &self.in_a_line(style) + "\n"
    }

    fn in_a_line(&self, style: Style) -> String {
        let (blocked, unknown) = (self.count(State::Blocked), self.count(State::Unknown));
        let warnings = self.count(State::Warning);
        let mut parts = Vec::new();
        let mut say = |count: usize, one: &str, more: &str| match count {
            0 => {}
            1 => parts.push(format!("1 {one}")),
            n => parts.push(format!("{n} {more}")),
        };
        say(blocked, "thing blocks", "things block");
        say(warnings, "warning", "warnings");
        say(unknown, "could not be checked", "could not be checked");
        let tone = match (blocked, warnings + unknown) {
            (0, 0) => return style.strong("nothing is in the way", Tone::Good),
            (0, _) => Tone::Warn,
            _ => Tone::Bad,
        };
        style.strong(&parts.join(", "), tone)
    }

    /// For a program.
    pub fn json(&self) -> Value {
        let checks = self.checks.iter().map(|check| {
            json!({
                "area": check.area.as_str(),
                "check": check.name,
                "state": check.state.as_str(),
                "found": check.found,
                "remedy": check.remedy,
            })
        });
        json!({
            "schema": SCHEMA,
            "blocked": self.count(State::Blocked),
            "warnings": self.count(State::Warning),
            "unknown": self.count(State::Unknown),
            "checks": checks.collect::<Vec<_>>(),
        })
    }
}

type Row = Vec<(String, Tone)>;

/// A check takes one row, and its remedy another one.
fn rows(check: &Check) -> Vec<Row> {
    let (tone, sign) = check.state.sign();
    let found = match check.state {
        State::Absent => (check.found.clone(), Tone::Dim),
        _ => plain(&check.found),
    };
    let first = vec![(sign.to_owned(), tone), plain(&check.name), found];
    let second = check
        .remedy
        .iter()
        .map(|remedy| vec![plain(""), plain(""), (format!("→ {remedy}"), Tone::Dim)]);
    std::iter::once(first).chain(second).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diagnosis() -> Diagnosis {
        let ok = Check::ok(Area::Here, "open files", "1,048,576");
        let java = Check::ok(Area::Here, "java", "not found").but(
            State::Absent,
            "install a JRE, if JMeter or Gatling is to run here",
        );
        let disk = Check::ok(Area::Here, "disk", "12 MB free in .floodgate").but(
            State::Blocked,
            "make room, or name another folder with --out",
        );
        let quota = Check::ok(Area::Account, "quota", "AccessDenied: you may not\u{1b}[2J").but(
            State::Unknown,
            "ask for servicequotas:GetServiceQuota, or look at L-3032A538 in the console of Service Quotas",
        );
        Diagnosis {
            checks: vec![ok, java, disk, quota],
        }
    }

    #[test]
    fn it_fits_narrow_terminals() {
        let style = |width| Style {
            color: false,
            width,
        };
        insta::assert_snapshot!("doctor_80", diagnosis().text(style(80)));
        insta::assert_snapshot!("doctor_60", diagnosis().text(style(60)));
        insta::assert_snapshot!("doctor_json", format!("{:#}", diagnosis().json()));
    }

    #[test]
    fn what_could_not_be_looked_at_is_not_fine() {
        let mut found = diagnosis();
        assert_eq!(found.exit_code(), 1);
        found.checks.retain(|check| check.state != State::Blocked);
        assert_eq!(found.exit_code(), 2);
        found.checks.retain(|check| check.state != State::Unknown);
        assert_eq!(found.exit_code(), 0);
        let text = found.text(Style::PLAIN);
        assert!(text.ends_with("nothing is in the way\n"), "{text}");
    }
}
