//! Pages of runs, the newest first: a page costs what it shows and what it passes over, however many runs are older.

use crate::caller::Caller;
use crate::listing::{Filter, LOOKED_THROUGH};
use crate::problem::Problem;
use crate::service::Service;
use floodgate_policy::{Action, Scope};
use floodgate_records::execution::Execution;
use floodgate_store::Listing;

/// Records that are read at once where some may be passed over.
const CHUNK: usize = 200;

/// Runs of a page.
pub(crate) struct Found {
    pub(crate) runs: Vec<Execution>,
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
        let (limit, test) = (filter.limit(), filter.test.as_deref());
        let chunk = CHUNK.max(limit + 1);
        let mut found = Found {
            runs: Vec::new(),
            next: None,
            damaged: Vec::new(),
        };
        let (mut before, mut read) = (filter.after.clone(), 0);
        loop {
            let after = before.as_deref();
            let listed = self.newest(projects, test, after, chunk).await?;
            found.damaged.extend(listed.damaged);
            let (count, last) = (listed.runs.len(), listed.runs.last().map(|r| r.id.clone()));
            read += count;
            let wanted = listed.runs.into_iter().filter(|run| filter.holds(run));
            found.runs.extend(wanted);
            if found.runs.len() > limit {
                found.runs.truncate(limit);
                found.next = found.runs.last().map(|run| run.id.clone());
                return Ok(found);
            }
            if count < chunk {
                return Ok(found);
            }
            if read >= LOOKED_THROUGH {
                // Nobody waits for ever: the next page goes on from here.
                found.next = last;
                return Ok(found);
            }
            before = last;
        }
    }

    /// The newest runs of these projects that are older than one of them.
    async fn newest(
        &self,
        projects: &[Option<&str>],
        test: Option<&str>,
        before: Option<&str>,
        most: usize,
    ) -> Result<Listing, Problem> {
        let mut all = Listing::default();
        for project in projects {
            let records = &self.stores.records;
            let listed = records.list_before(*project, test, before, most).await?;
            all.runs.extend(listed.runs);
            all.damaged.extend(listed.damaged);
        }
        if projects.len() > 1 {
            all.runs.sort_by(|a, b| b.id.cmp(&a.id));
            all.runs.truncate(most);
        }
        Ok(all)
    }
}
