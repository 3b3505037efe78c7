//! Steps in their order: pages as groups, pauses as think times.

use super::hide::Hidden;
use super::idle_before;
use crate::draft::{Request, Step};
use crate::recording::Exchange;

/// A shorter pause is the browser's, not the user's.
const MIN_THINK_MS: i64 = 500;
/// A longer one is a coffee, not a thought.
const MAX_THINK_MS: i64 = 60_000;

pub(super) fn arrange(
    exchanges: &[Exchange],
    written: Vec<Request>,
    pages: &[String],
    think: bool,
    hidden: &Hidden,
) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let paged = exchanges.iter().any(|exchange| exchange.page.is_some()) && pages.len() > 1;
    let mut current = None;
    for (index, request) in written.into_iter().enumerate() {
        let pause = idle_before(exchanges, index)
            .filter(|ms| think && *ms >= MIN_THINK_MS)
            .map(rounded);
        let page = exchanges[index].page.filter(|_| paged);
        let request_step = Step::Request(Box::new(request));
        if page.is_some()
            && page == current
            && let Some(Step::Group { steps, .. }) = steps.last_mut()
        {
            steps.extend(pause.map(|ms| Step::Think { ms }));
            steps.push(request_step);
            continue;
        }
        steps.extend(pause.map(|ms| Step::Think { ms }));
        current = page;
        match page {
            Some(page) => steps.push(Step::Group {
                name: group_name(&pages[page], &exchanges[index], hidden),
                comments: Vec::new(),
                steps: vec![request_step],
            }),
            None => steps.push(request_step),
        }
    }
    steps
}

/// A pause as a person would say it: to 100 ms below two seconds, to 500 ms below ten, then to a second; at most a minute.
fn rounded(ms: i64) -> u64 {
    let to = match ms {
        ..2_000 => 100,
        2_000..10_000 => 500,
        _ => 1_000,
    };
    let rounded = (ms.min(MAX_THINK_MS) + to / 2) / to * to;
    u64::try_from(rounded).unwrap_or(0)
}

/// A page by its path, else by its title: browsers put URLs into titles.
fn group_name(title: &str, first: &Exchange, hidden: &Hidden) -> String {
    let of_url = |title: &str| {
        url::Url::parse(title)
            .ok()
            .filter(|url| url.host_str().is_some())
    };
    let name = match of_url(title) {
        Some(url) => super::names::path(url.path()),
        None if title.is_empty() => super::names::path(first.url.path()),
        None => title.to_owned(),
    };
    let name: String = super::names::shown(&hidden.in_words(&name))
        .replace("::", ":")
        .trim()
        .chars()
        .take(100)
        .collect();
    let name = name.replace("::", ":");
    if name.is_empty() {
        "page".to_owned()
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_round() {
        for (ms, expected) in [
            (501, 500),
            (1_949, 1_900),
            (1_960, 2_000),
            (2_300, 2_500),
            (9_900, 10_000),
            (12_345, 12_000),
            (3_600_000, 60_000),
        ] {
            assert_eq!(rounded(ms), expected, "{ms}");
        }
    }
}
