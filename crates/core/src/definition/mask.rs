//! What of a URL may be shown.

/// A URL as names, titles and records show it: user and password of its authority are masked.
pub fn without_credentials(url: &str) -> String {
    let from = url.find("://").map_or(0, |at| at + 3);
    let to = url[from..]
        .find(['/', '?', '#'])
        .map_or(url.len(), |length| from + length);
    match url[from..to].rfind('@') {
        Some(at) => format!("{}***{}", &url[..from], &url[from + at..]),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::without_credentials;

    #[test]
    fn only_the_authority_has_credentials() {
        for (url, shown) in [
            (
                "http://ann:s3cr3t@127.0.0.1/a@b",
                "http://***@127.0.0.1/a@b",
            ),
            ("ann:s3@cr3t@localhost?q=a@b", "***@localhost?q=a@b"),
            ("https://[::1]:8080", "https://[::1]:8080"),
            ("localhost/@", "localhost/@"),
            ("/users/a@b", "/users/a@b"),
            ("https://${user}:${password}@h/", "https://***@h/"),
            ("", ""),
        ] {
            assert_eq!(without_credentials(url), shown);
        }
    }
}
