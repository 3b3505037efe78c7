//! What a reader should know, and what ran.

use crate::format::{bytes, number, span, utc};
use crate::html::model::{Cell, Part, Section, Table, Text, number as numeric, text};
use floodgate_records::cost::Cost;
use floodgate_records::execution::Execution;
use floodgate_records::figures::Figures;
use floodgate_records::summary::Summary;
use floodgate_records::word::Word;

pub(super) fn warnings(summary: &Summary) -> Section {
    let all: Vec<_> = summary.warnings.iter().map(Text::of).collect();
    let parts = (!all.is_empty()).then_some(Part::List(all));
    Section::new("warnings", "Warnings", parts.into_iter().collect())
}

pub(super) fn ran(execution: &Execution, summary: &Summary, figures: &Figures) -> Section {
    let facts = facts(execution, summary).into_iter();
    let facts = facts
        .map(|(name, value)| (Text::of(name), Text::of(value)))
        .collect();
    let mut parts = vec![Part::Facts(facts)];
    parts.extend(summary.cost.as_ref().map(cost).and_then(Table::part));
    if let Some(definition) = &figures.definition {
        let mut json = definition.json.clone();
        if definition.cut {
            json += "\n… the rest is in the stored definition";
        }
        let title =
            "Definition, with overrides; references are not resolved, what looks secret is masked";
        parts.push(Part::Code(Text::of(title), Text::lines(&json)));
    }
    Section::new("ran", "What ran", parts)
}

fn facts(execution: &Execution, summary: &Summary) -> Vec<(&'static str, String)> {
    let (e, i, t) = (execution, &summary.infrastructure, &execution.trigger);
    let mut facts: Vec<(&'static str, Option<String>)> = vec![
        ("execution", Some(e.id.clone())),
        ("test", Some(format!("{}/{}", e.project, e.test))),
        ("version", Some(e.version.clone())),
        ("engine", Some(engine(e))),
        ("target", e.target.clone()),
        ("commit", t.commit.clone()),
        ("build", t.build_url.clone()),
        (
            "started by",
            t.principal
                .as_ref()
                .map(|who| format!("{who} ({})", t.kind)),
        ),
        ("created", Some(utc(e.created_ms))),
        ("started", summary.started_ms.map(utc)),
        ("ended", e.ended_ms.map(utc)),
        (
            "measured",
            (summary.duration_s > 0.0).then(|| span(summary.duration_s)),
        ),
        ("planned", planned(summary)),
        ("parameters", parameters(e)),
        ("infrastructure", Some(i.kind.to_string())),
        ("tasks", Some(i.tasks.to_string())),
        (
            "regions",
            (!i.regions.is_empty()).then(|| i.regions.join(", ")),
        ),
        (
            "task size",
            (i.cpu > 0).then(|| format!("{} CPU units, {} MiB", i.cpu, i.memory)),
        ),
        ("processor", Some(i.architecture.to_string())),
        (
            "interruptible",
            (i.spot_tasks > 0).then(|| format!("{} of the tasks", i.spot_tasks)),
        ),
        ("image", i.image_digest.clone()),
        ("connections", connections(summary)),
    ];
    if let Some(stop) = &e.stopped_by {
        facts.push(("stopped by", Some(stop.by.clone())));
    }
    let some = |(name, value): (_, Option<String>)| Some((name, value.filter(|v| !v.is_empty())?));
    facts.into_iter().filter_map(some).collect()
}

fn engine(e: &Execution) -> String {
    let version = &e.infrastructure.engine_version;
    format!("{} {version}", e.engine).trim().to_owned()
}

fn planned(summary: &Summary) -> Option<String> {
    let p = &summary.planned;
    let iterations = p
        .iterations
        .map(|n| format!("{} iterations", number(n as f64, 9)));
    let vus = (p.max_vus > 0).then(|| format!("up to {} VUs", number(p.max_vus as f64, 9)));
    let time = (p.duration_ms > 0).then(|| format!("for {}", span(p.duration_ms as f64 / 1e3)));
    let all: Vec<_> = [iterations, vus, time].into_iter().flatten().collect();
    (!all.is_empty()).then(|| all.join(", "))
}

fn parameters(e: &Execution) -> Option<String> {
    let secret = |name: &str| {
        let name = name.to_ascii_lowercase();
        [
            "password",
            "passwd",
            "secret",
            "token",
            "key",
            "authorization",
            "cookie",
        ]
        .iter()
        .any(|word| name.contains(word))
    };
    let shown = |(name, value): (&String, &String)| match secret(name) {
        true => format!("{name}=***"),
        false => format!("{name}={value}"),
    };
    let all: Vec<_> = e.parameters.iter().map(shown).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

fn connections(summary: &Summary) -> Option<String> {
    let c = &summary.connections;
    let mut all = Vec::new();
    if c.opened > 0 {
        all.push(format!("{} opened", number(c.opened as f64, 9)));
    }
    if c.tls_handshakes > 0 {
        let whose: Vec<_> = c.tls_resumption.iter().map(Word::as_str).collect();
        all.push(format!(
            "{} TLS handshakes, {} resumed (sessions: {})",
            number(c.tls_handshakes as f64, 9),
            number(c.tls_resumed as f64, 9),
            whose.join(", ")
        ));
    }
    all.extend(
        c.routes
            .iter()
            .map(|(way, n)| format!("{} through {way}", number(*n as f64, 9))),
    );
    if c.spoiled > 0 {
        all.push(format!(
            "{} given up for unsolicited bytes",
            number(c.spoiled as f64, 9)
        ));
    }
    (!all.is_empty()).then(|| all.join("; "))
}

fn cost(cost: &Cost) -> Table {
    let usd = |v: f64| format!("${v:.4}");
    let mut items: Vec<_> = cost.items.iter().collect();
    items.sort_by(|a, b| b.usd.total_cmp(&a.usd));
    let quantity = |item: &floodgate_records::cost::CostItem| match item.unit.as_str() {
        "GB" => bytes(item.quantity * 1e9),
        unit => format!("{} {unit}", number(item.quantity, 4)),
    };
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let mut total = |what: &str, v: Option<f64>| {
        if let Some(v) = v {
            rows.push(vec![
                Cell::of(what),
                Cell::default(),
                Cell::default(),
                Cell::number(usd(v), v),
            ]);
        }
    };
    total("all together", cost.actual_usd);
    total("estimate before the start", cost.estimate_usd);
    rows.extend(items.iter().map(|item| {
        vec![
            Cell::of(item.what.as_str()),
            Cell::dim(&item.region),
            Cell::of(quantity(item)),
            Cell::number(usd(item.usd), item.usd),
        ]
    }));
    let caption = match cost.prices_of.is_empty() {
        true => "Cost".to_owned(),
        false => format!("Cost, by list prices of {}", cost.prices_of),
    };
    Table {
        caption: Text::of(caption),
        columns: vec![
            text("what"),
            text("region"),
            numeric("quantity"),
            numeric("USD"),
        ],
        rows,
        live: false,
    }
}
