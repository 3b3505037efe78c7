//! Pages of runs, the newest first: a page costs what it shows and what it passes over, however many runs are older.

use crate::caller::Caller;
use crate::listing::{Filter, limit};
use crate::problem::Problem;
use crate::service::Service;
use floodgate_policy::{Action, Scope};
use floodgate_store::{Brief, Briefs, Wanted};
use std::sync::Arc;

/// Runs of a page.
pub(crate) struct Found {
    pub(crate) runs: Vec<Arc<Brief>>,
    /// What `after` has to be for the next page.
    pub(crate) next: Option<String>,
    /// What cannot be read, a sentence each.
    pub(crate) damaged: Vec<String>,
}

/// The projects that somebody may list, of the one that is asked for or of all; an inner `None` is all that there are.
pub(crate) fn listed<'a>(
    caller: &'a Caller,
    asked: Option<&'a str>,
    action: Action,
) -> Result<Vec<Option<&'a str>>, Problem> {
    if let Some(project) = asked {
        caller.may(action, project)?;
        return Ok(vec![Some(project)]);
    }
    let mut projects = match caller.grants.scope() {
        Scope::All => return Ok(vec![None]),
        Scope::These(projects) => projects,
    };
    projects.retain(|project| caller.may(action, project).is_ok());
    Ok(projects.into_iter().map(Some).collect())
}

impl Service {
    /// A page of the runs of these projects that the filter lets through.
    pub(crate) async fn page(
        &self,
        projects: &[Option<&str>],
        filter: &Filter,
    ) -> Result<Found, Problem> {
        filter.check()?;
        let limit = limit(filter.limit)?;
        let mut all = Briefs::default();
        for project in projects {
            let lets_through = filter.clone();
            let wanted = Wanted {
                test: filter.test.clone(),
                before: filter.after.clone(),
                // One more shows that there is a next page.
                limit: limit + 1,
                holds: Arc::new(move |run| lets_through.holds(run)),
                ..Wanted::all(*project)
            };
            let found = self.stores.records.select(&wanted).await?;
            all.runs.extend(found.runs);
            all.damaged.extend(found.damaged);
            // Nobody has looked at what is older than this: of no project it may be shown.
            all.looked_to = all.looked_to.max(found.looked_to);
        }
        let Briefs {
            mut runs,
            damaged,
            looked_to,
        } = all;
        runs.sort_by(|a, b| b.id.cmp(&a.id));
        runs.retain(|run| looked_to.as_ref().is_none_or(|to| run.id >= *to));
        let next = match runs.len() > limit {
            true => Some(runs[limit - 1].id.clone()),
            false => looked_to,
        };
        runs.truncate(limit);
        Ok(Found {
            runs,
            next,
            damaged,
        })
    }
}
