//! k6's tags as ours, looked up once for each different set.

use super::super::error_code;
use crate::collector::Series;
use floodgate_core::fold::{Folding, OTHER};
use floodgate_records::metric::Tags;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Tags of k6 that are none of ours: what the URL is (see [`UrlNames`]), and what the native engine has not either. `error` is a text with
/// addresses in it; `vu` and `iter` are without bound.
const DROPPED: [&str; 9] = [
    "url",
    "error",
    "proto",
    "subproto",
    "tls_version",
    "ocsp_status",
    "ip",
    "vu",
    "iter",
];

/// Whether k6's tag is kept as ours.
pub(in super::super) fn is_kept(tag: &str) -> bool {
    !DROPPED.contains(&tag)
}

/// URLs that may stand as the tag `name` of requests that the script gives none, before further ones are `__other__`.
const MAX_URLS: usize = 100;

/// How many bytes of tag sets are remembered in the form in which k6 writes them. It bounds what a script with a new URL for each
/// request takes.
const MAX_REMEMBERED: usize = 8 << 20;

/// A tag set, by its place in [`TagSets`].
pub(super) type SetId = u32;

/// All tag sets so far.
#[derive(Default)]
pub(super) struct TagSets {
    by_raw: HashMap<Box<[u8]>, SetId>,
    by_tags: HashMap<Tags, SetId>,
    /// The series of each set, by metric.
    series: Vec<(Tags, Vec<Option<Series>>)>,
    remembered: usize,
    names: UrlNames,
}

impl TagSets {
    /// Names that are to be kept past the bound on URLs.
    pub(super) fn keep_names(&mut self, folding: &Arc<Folding>) {
        self.names.folding = Arc::clone(folding);
    }

    /// The set that was written so.
    #[inline]
    pub(super) fn known(&self, raw: &[u8]) -> Option<SetId> {
        self.by_raw.get(raw).copied()
    }

    /// Takes note of what a set means that was written so.
    pub(super) fn learn<'a>(
        &mut self,
        raw: &[u8],
        tags: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> SetId {
        let id = self.of(tags);
        self.remembered += raw.len();
        if self.remembered > MAX_REMEMBERED {
            self.by_raw.clear();
            self.remembered = raw.len();
        }
        self.by_raw.insert(raw.into(), id);
        id
    }

    /// The set of these tags of k6.
    pub(super) fn of<'a>(&mut self, tags: impl IntoIterator<Item = (&'a str, &'a str)>) -> SetId {
        let tags = ours(tags, &mut self.names);
        if let Some(&id) = self.by_tags.get(&tags) {
            return id;
        }
        // Only tags of the script's own can make many: their sets are forgotten together, and cost a look-up again.
        if self.series.len() >= MAX_SETS {
            self.by_raw.clear();
            self.by_tags.clear();
            self.series.clear();
            self.remembered = 0;
        }
        let id = self.series.len() as SetId;
        self.by_tags.insert(tags.clone(), id);
        self.series.push((tags, Vec::new()));
        id
    }

    /// The series of a metric in a set, once it was looked up. An id is good until the next call of [`Self::of`] or [`Self::learn`].
    #[inline]
    pub(super) fn series(&self, set: SetId, metric: usize) -> Option<Series> {
        self.series
            .get(set as usize)?
            .1
            .get(metric)
            .copied()
            .flatten()
    }

    /// The tags of a set.
    pub(super) fn tags(&self, set: SetId) -> &Tags {
        &self.series[set as usize].0
    }

    /// Keeps the series of a metric in a set.
    pub(super) fn keep(&mut self, set: SetId, metric: usize, series: Series) {
        let all = &mut self.series[set as usize].1;
        if all.len() <= metric {
            all.resize(metric + 1, None);
        }
        all[metric] = Some(series);
    }

    /// What the reader of the record should know.
    pub(super) fn warning(&self) -> Option<String> {
        (self.names.folded > 0).then(|| {
            format!(
                "more than {MAX_URLS} URLs are requested without a name of their own; those past the bound count as name:__other__: give requests the tag name, or write http.url`…`"
            )
        })
    }
}

/// Sets before all are forgotten. A collector folds series long before; a set takes up to 3 KB.
const MAX_SETS: usize = 10_000;

/// URLs that stand for names.
#[derive(Default)]
struct UrlNames {
    urls: HashSet<String>,
    folding: Arc<Folding>,
    folded: u64,
}

impl UrlNames {
    /// A name as a tag. k6 gives a request without a name its URL: these are bounded, since ids in them have no bound. A name that the
    /// script gives is not a URL as a rule; that of ``http.url`…` `` has `${}` where the values were.
    fn bounded<'a>(&mut self, name: &'a str) -> &'a str {
        if !name.contains("://") || name.contains("${}") || self.urls.contains(name) {
            return name;
        }
        if self.urls.len() < MAX_URLS {
            self.urls.insert(name.to_owned());
            return name;
        }
        if self.folding.names("name", name) {
            return name;
        }
        self.folded += 1;
        OTHER
    }
}

fn ours<'a>(tags: impl IntoIterator<Item = (&'a str, &'a str)>, names: &mut UrlNames) -> Tags {
    let (mut all, mut url, mut code, mut message) = (Tags::new(), "", "", "");
    for (tag, value) in tags {
        match tag {
            "url" => url = value,
            "error_code" => code = value,
            "error" => message = value,
            "name" => all = all.with("name", names.bounded(value)),
            _ if is_kept(tag) => all = all.with(tag, value),
            _ => {}
        }
    }
    // Scripts can leave the system tag `name` out.
    if !url.is_empty() && all.get("name").is_none() {
        all = all.with("name", names.bounded(url));
    }
    match error_code::of(code, message) {
        Some(code) => all.with("error_code", code),
        None => all,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn tags(list: &[(&str, &str)]) -> String {
        let mut sets = TagSets::default();
        let id = sets.of(list.iter().copied());
        let all = sets.tags(id).0.iter().map(|(k, v)| format!("{k}={v}"));
        all.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn tags_become_those_of_the_native_engine() {
        assert_eq!(
            tags(&[
                ("group", ""),
                ("method", "GET"),
                ("name", "home"),
                ("url", "home"),
                ("proto", "HTTP/1.1"),
                ("status", "404"),
                ("error_code", "1404"),
                ("expected_response", "false"),
                ("scenario", "a"),
                ("team", "x"),
            ]),
            "expected_response=false method=GET name=home scenario=a status=404 team=x"
        );
        assert_eq!(
            tags(&[
                ("error", "dial: connection refused"),
                ("error_code", "1212"),
                ("status", "0"),
                ("url", "http://x/")
            ]),
            "error_code=connection_refused name=http://x/ status=0"
        );
        assert_eq!(
            tags(&[("group", "::a::b"), ("check", "is 200")]),
            "check=is 200 group=::a::b"
        );
    }

    #[test]
    fn urls_are_bounded_and_names_are_not() {
        let mut sets = TagSets::default();
        for n in 0..MAX_URLS + 50 {
            sets.of([("name", format!("http://x/{n}").as_str())]);
            sets.of([("name", format!("named {n}").as_str())]);
        }
        assert_eq!(sets.series.len(), MAX_URLS + 1 + MAX_URLS + 50);
        assert!(sets.warning().unwrap().contains("more than 100 URLs"));
        let id = sets.of([("name", "http://x/7")]);
        assert_eq!(
            sets.tags(id).get("name"),
            Some("http://x/7"),
            "a known URL keeps its name"
        );
        let id = sets.of([("name", "http://x/${}/y")]);
        assert_eq!(sets.tags(id).get("name"), Some("http://x/${}/y"));
        assert_eq!(TagSets::default().warning(), None);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut sets = TagSets::default();
        let raw = vec![b'x'; MAX_REMEMBERED / 4];
        for n in 0..40u8 {
            let mut raw = raw.clone();
            raw[0] = n;
            sets.learn(&raw, [("name", "same")]);
        }
        assert!(sets.by_raw.len() <= 4);
        assert_eq!(sets.series.len(), 1);
        for n in 0..=MAX_SETS {
            sets.of([("user", n.to_string().as_str())]);
        }
        assert!(sets.series.len() <= MAX_SETS);
    }
}
