//! Whether a run may cost what it may come to.

use floodgate_records::budget::{Account, Amount, Caps, Halt};

/// What a run asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Demand {
    /// What it may cost at most.
    pub amount: Amount,
    /// Whether its VU hours are known: a script may say its load itself.
    pub knows_vus: bool,
}

/// What is allowed, from wherever it was said: the tighter bound counts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Allowance {
    /// A run.
    pub run: Caps,
    /// All runs that start in a calendar month (UTC).
    pub month: Caps,
}

impl Allowance {
    /// The tighter of the two, bound by bound.
    #[must_use]
    pub fn tighter(self, other: Self) -> Self {
        Self {
            run: self.run.tighter(other.run),
            month: self.month.tighter(other.month),
        }
    }
}

/// Why a run may not start, a sentence that says what is left, what the run would take and how to raise it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverBudget {
    /// The kill switch of the project or of everything is on.
    #[error("{0}")]
    Halted(String),
    /// There is a bound in VU hours, and nobody knows how many the run takes.
    #[error("{0}")]
    UnknownVus(String),
    /// More than one run may take.
    #[error("{0}")]
    Run(String),
    /// More than is left of the month.
    #[error("{0}")]
    Month(String),
}

/// Money, or load.
struct Unit {
    of: fn(Amount) -> f64,
    cap: fn(Caps) -> Option<f64>,
    show: fn(f64) -> String,
    run: (&'static str, &'static str),
    month: (&'static str, &'static str),
}

static UNITS: [Unit; 2] = [
    Unit {
        of: Amount::usd,
        cap: |caps| caps.usd,
        show: dollars,
        run: (
            "--run-usd",
            "run.max_cost_usd, or max_cost_usd of the project in Terraform",
        ),
        month: ("--month-usd", "max_monthly_usd of the project in Terraform"),
    },
    Unit {
        of: Amount::vu_hours,
        cap: |caps| caps.vu_hours,
        show: |hours| format!("{} VU hours", plain(hours, 4)),
        run: ("--run-vu-hours", "max_vu_hours of the project in Terraform"),
        month: (
            "--month-vu-hours",
            "max_monthly_vu_hours of the project in Terraform",
        ),
    },
];

/// Cents, unless that would show nothing of it.
fn dollars(usd: f64) -> String {
    match usd > 0.0 && usd < 0.1 {
        true => format!("${}", plain(usd, 4)),
        false => format!("${usd:.2}"),
    }
}

/// With so many digits behind the point at most.
fn plain(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

/// Whether anything may start at all.
///
/// # Errors
/// [`OverBudget::Halted`].
pub fn may_start(
    project: &str,
    of_project: Option<&Halt>,
    of_all: Option<&Halt>,
) -> Result<(), OverBudget> {
    let halted = |halt: &Halt, what: String, option: String| {
        let why = halt.why.as_ref().map(|why| format!(" ({why})"));
        OverBudget::Halted(format!(
            "nothing starts in {what}: {} halted it{}; floodgate budget resume {option} lets runs start again",
            halt.by,
            why.unwrap_or_default()
        ))
    };
    if let Some(halt) = of_all.filter(|halt| halt.halted) {
        return Err(halted(halt, "any project".into(), "--all".into()));
    }
    match of_project.filter(|halt| halt.halted) {
        Some(halt) => Err(halted(
            halt,
            format!("project {project:?}"),
            format!("--project {project}"),
        )),
        None => Ok(()),
    }
}

/// Whether a run may ask for what it asks for, whatever others take.
///
/// # Errors
/// [`OverBudget::Run`] and [`OverBudget::UnknownVus`].
pub fn may_cost(project: &str, demand: &Demand, allowed: &Allowance) -> Result<(), OverBudget> {
    let hours = [allowed.run.vu_hours, allowed.month.vu_hours];
    if !demand.knows_vus && hours.iter().any(Option::is_some) {
        return Err(OverBudget::UnknownVus(format!(
            "project {project:?} has a budget in VU hours, and the script says its load itself, so that nobody knows before how many it takes: \
             give --vus and --duration, or clear that budget (floodgate budget set --project {project} --run-vu-hours none --month-vu-hours none)"
        )));
    }
    if allowed.run.limit().holds(demand.amount) {
        return Ok(());
    }
    let unit = exceeded(|unit| {
        let asked = (unit.of)(demand.amount);
        (unit.cap)(allowed.run).map(|most| asked - most)
    });
    let (option, elsewhere) = unit.run;
    let takes = (unit.show)((unit.of)(demand.amount));
    let most = (unit.show)((unit.cap)(allowed.run).unwrap_or_default());
    Err(OverBudget::Run(format!(
        "the run may take {takes}, and a run of project {project:?} at most {most}: send less (fewer VUs, fewer tasks, a shorter test), or raise \
         it with floodgate budget set --project {project} {option} N (or {elsewhere}, if that is the tighter one)"
    )))
}

/// Whether a month has room for it, as far as an account that may have changed since says.
///
/// # Errors
/// [`OverBudget::Month`].
pub fn has_room(
    project: &str,
    demand: &Demand,
    allowed: &Allowance,
    account: &Account,
) -> Result<(), OverBudget> {
    let total = account.total.plus(demand.amount);
    match allowed.month.limit().holds(total) {
        true => Ok(()),
        false => Err(full(project, demand, allowed, account)),
    }
}

/// Why a month has no room for a run.
pub fn full(project: &str, demand: &Demand, allowed: &Allowance, account: &Account) -> OverBudget {
    let unit = exceeded(|unit| {
        let total = (unit.of)(account.total.plus(demand.amount));
        (unit.cap)(allowed.month).map(|most| total - most)
    });
    let (option, elsewhere) = unit.month;
    let most = (unit.cap)(allowed.month).unwrap_or_default();
    let left = (unit.show)((most - (unit.of)(account.total)).max(0.0));
    let shown = |amount: Amount| (unit.show)((unit.of)(amount));
    let (takes, spent, held) = (
        shown(demand.amount),
        shown(account.spent()),
        shown(account.reserved()),
    );
    OverBudget::Month(format!(
        "the run may take {takes}, and of this month's {} project {project:?} has {left} left ({spent} spent, {held} held by runs that go on): \
         wait for the next month or for runs to end, send less, or raise it with floodgate budget set --project {project} {option} N (or \
         {elsewhere}, if that is the tighter one)",
        (unit.show)(most)
    ))
}

/// The unit by which there is too much; the first one if, by what is rounded, none is.
fn exceeded(by: impl Fn(&Unit) -> Option<f64>) -> &'static Unit {
    let [money, load] = &UNITS;
    let much = |unit: &Unit| by(unit).unwrap_or(f64::NEG_INFINITY);
    match much(money) > 0.0 || much(load) <= 0.0 && by(money).is_some() {
        true => money,
        false => load,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use floodgate_records::budget::Reservation;

    fn demand(usd: f64, vu_s: u64) -> Demand {
        Demand {
            amount: Amount::new(usd, vu_s),
            knows_vus: true,
        }
    }

    fn caps(usd: impl Into<Option<f64>>, vu_hours: impl Into<Option<f64>>) -> Caps {
        Caps {
            usd: usd.into(),
            vu_hours: vu_hours.into(),
        }
    }

    #[test]
    fn a_refusal_says_what_is_left_what_it_takes_and_how_to_raise_it() {
        let allowed = Allowance {
            run: caps(5.0, 10.0),
            month: caps(100.0, None),
        };
        let mut account = Account {
            total: Amount::new(90.0, 0),
            ..Account::default()
        };
        let held = Reservation {
            amount: Amount::new(6.5, 0),
            at_ms: 0,
        };
        assert!(account.reserve("A", held, &allowed.month.limit()));
        let asked = demand(3.75, 1_800);
        assert_eq!(may_cost("shop", &asked, &allowed), Ok(()));
        let refused = has_room("shop", &asked, &allowed, &account).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the run may take $3.75, and of this month's $100.00 project \"shop\" has $3.50 left ($90.00 spent, $6.50 held by runs that go on): \
             wait for the next month or for runs to end, send less, or raise it with floodgate budget set --project shop --month-usd N (or \
             max_monthly_usd of the project in Terraform, if that is the tighter one)"
        );
        assert_eq!(
            has_room("shop", &demand(3.5, 0), &allowed, &account),
            Ok(())
        );
        let refused = may_cost("shop", &demand(0.02, 36_001), &allowed).unwrap_err();
        let text = refused.to_string();
        assert!(
            text.contains(
                "may take 10.0003 VU hours, and a run of project \"shop\" at most 10 VU hours"
            ),
            "{text}"
        );
        assert!(text.contains("--run-vu-hours N"), "{text}");
        let refused = may_cost("shop", &demand(5.01, 36_001), &allowed).unwrap_err();
        assert!(refused.to_string().contains("take $5.01"), "{refused}");
    }

    #[test]
    fn load_that_nobody_knows_is_within_no_budget_of_load() {
        let unknown = Demand {
            knows_vus: false,
            ..demand(0.0, 0)
        };
        let open = Allowance {
            run: caps(1.0, None),
            month: caps(1.0, None),
        };
        assert_eq!(may_cost("shop", &unknown, &open), Ok(()));
        for (run, month) in [(Some(1.0), None), (None, Some(1.0))] {
            let allowed = Allowance {
                run: caps(None, run),
                month: caps(None, month),
            };
            let refused = may_cost("shop", &unknown, &allowed).unwrap_err();
            assert!(refused.to_string().contains("--vus"), "{refused}");
        }
    }

    #[test]
    fn a_switch_stops_its_project_and_the_other_one_all() {
        let on = Halt {
            halted: true,
            why: Some("runaway costs".into()),
            by: "ann".into(),
            ..Halt::default()
        };
        let off = Halt::default();
        assert_eq!(may_start("shop", None, None), Ok(()));
        assert_eq!(may_start("shop", Some(&off), Some(&off)), Ok(()));
        let own = may_start("shop", Some(&on), None).unwrap_err().to_string();
        assert_eq!(
            own,
            "nothing starts in project \"shop\": ann halted it (runaway costs); floodgate budget resume --project shop lets runs start again"
        );
        let all = may_start("shop", Some(&off), Some(&on)).unwrap_err();
        let all = all.to_string();
        assert!(
            all.contains("any project") && all.contains("resume --all"),
            "{all}"
        );
    }

    #[test]
    fn the_tighter_bound_counts_each_for_itself() {
        let stack = Allowance {
            run: caps(5.0, None),
            month: caps(None, 100.0),
        };
        let own = Allowance {
            run: caps(9.0, 2.0),
            month: caps(50.0, 200.0),
        };
        let both = stack.tighter(own);
        assert_eq!(both, own.tighter(stack));
        assert_eq!(both.run, caps(5.0, 2.0));
        assert_eq!(both.month, caps(50.0, 100.0));
    }
}
