//! A dashboard, and its JSON (<https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/>).

use serde_json::{Value, json};

/// Columns of Grafana's grid.
const COLUMNS: u64 = 24;
/// Height of a panel in its rows.
const HEIGHT: u64 = 8;

/// A dashboard.
pub(super) struct Dashboard {
    /// The file's name, and that of the dashboard's address.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    /// The plugin that asks the store.
    pub(super) datasource: &'static str,
    /// What a reader chooses.
    pub(super) variables: Vec<Value>,
    pub(super) panels: Vec<Panel>,
}

/// How a panel shows what it is told.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// Lines over time.
    Lines,
    /// A table as it comes.
    Table,
}

/// A panel.
pub(super) struct Panel {
    pub(super) title: &'static str,
    pub(super) shape: Shape,
    /// Grafana's name of a unit.
    pub(super) unit: &'static str,
    /// What is asked, in the form of the plugin.
    pub(super) targets: Vec<Value>,
}

/// Lines over time.
pub(super) fn lines(title: &'static str, unit: &'static str, targets: Vec<Value>) -> Panel {
    Panel {
        title,
        shape: Shape::Lines,
        unit,
        targets,
    }
}

/// A variable whose values a query finds; `query` is in the form of the plugin.
pub(super) fn variable(name: &str, label: &str, query: Value) -> Value {
    json!({
        "name": name,
        "label": label,
        "type": "query",
        "datasource": datasource(),
        "query": query,
        "refresh": 2,
        "sort": 0,
        "multi": false,
        "includeAll": false,
    })
}

/// A variable with fixed values; the first one is chosen.
pub(super) fn choice(name: &str, label: &str, values: &[&str]) -> Value {
    let first = values.first().copied().unwrap_or_default();
    let options: Vec<Value> = values
        .iter()
        .map(|value| json!({"text": value, "value": value, "selected": *value == first}))
        .collect();
    json!({
        "name": name,
        "label": label,
        "type": "custom",
        "query": values.join(","),
        "options": options,
        "current": {"text": first, "value": first},
        "multi": false,
        "includeAll": false,
    })
}

fn datasource() -> Value {
    json!({"uid": "${datasource}"})
}

impl Dashboard {
    /// The file.
    pub(super) fn text(&self) -> String {
        let mut variables = vec![json!({
            "name": "datasource",
            "label": "Store",
            "type": "datasource",
            "query": self.datasource,
        })];
        variables.extend(self.variables.iter().cloned());
        let half = COLUMNS / 2;
        let panels = self.panels.iter().zip(0u64..);
        let panels: Vec<Value> = panels
            .map(|(panel, i)| panel.json(i + 1, i % 2 * half, i / 2 * HEIGHT, half))
            .collect();
        let page = json!({
            "uid": format!("floodgate-{}", self.name),
            "title": self.title,
            "tags": ["floodgate"],
            "schemaVersion": 39,
            "version": 1,
            "editable": true,
            "refresh": "10s",
            "time": {"from": "now-1h", "to": "now"},
            "templating": {"list": variables},
            "panels": panels,
        });
        // A value made of texts and numbers is always written.
        serde_json::to_string_pretty(&page).unwrap_or_default() + "\n"
    }
}

impl Panel {
    fn json(&self, id: u64, x: u64, y: u64, w: u64) -> Value {
        let letters = ('A'..='Z').map(String::from);
        let targets: Vec<Value> = self
            .targets
            .iter()
            .zip(letters)
            .map(|(target, letter)| {
                let mut target = target.clone();
                target["refId"] = letter.into();
                target["datasource"] = datasource();
                target
            })
            .collect();
        json!({
            "id": id,
            "title": self.title,
            "type": match self.shape {
                Shape::Lines => "timeseries",
                Shape::Table => "table",
            },
            "datasource": datasource(),
            "gridPos": {"x": x, "y": y, "w": w, "h": HEIGHT},
            "fieldConfig": {"defaults": {"unit": self.unit}, "overrides": []},
            "options": {},
            "targets": targets,
        })
    }
}
