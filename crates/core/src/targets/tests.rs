use super::*;
use proptest::prelude::*;

fn listed(entries: &[&str]) -> Targets {
    let entries: Vec<_> = entries.iter().map(|&e| e.to_owned()).collect();
    Targets::in_cloud(Some(&entries)).unwrap()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn a_machines_own_addresses_are_refused_however_they_are_written() {
    let cloud = Targets::in_cloud(None).unwrap();
    // Whoever lists one does not open it.
    let open = listed(&["metadata.example", "169.254.0.0/16", "::/0", "0.0.0.0/0"]);
    for own in [
        "169.254.169.254",
        "169.254.170.2",
        "::ffff:169.254.169.254",
        "64:ff9b::169.254.169.254",
        "2002:a9fe:a9fe::1",
        "fe80::1",
        "febf::1",
        "fd00:ec2::254",
        "fd00:ec2::23",
    ] {
        for targets in [&cloud, &open] {
            let error = Forbidden::Own(ip(own).to_string());
            assert_eq!(targets.address(ip(own)), Err(error.clone()), "{own}");
            assert_eq!(targets.host(own).unwrap_err(), error);
            assert_eq!(targets.resolved("metadata.example", ip(own)), Err(error));
        }
        assert_eq!(Targets::default().address(ip(own)), Ok(()));
    }
    for other in [
        "169.253.255.255",
        "169.255.0.0",
        "10.0.0.1",
        "fec0::1",
        "fd00:ec3::254",
        "::1",
    ] {
        assert_eq!(cloud.address(ip(other)), Ok(()), "{other}");
    }
    assert_eq!(
        cloud.host("[fd00:ec2::254]").unwrap_err(),
        Forbidden::Own("fd00:ec2::254".into())
    );
}

#[test]
fn names_are_listed_alone_or_with_all_below_them() {
    let targets = listed(&["Shop.example", "*.test.example", ".corp.example."]);
    for name in [
        "shop.example",
        "SHOP.example.",
        "a.test.example",
        "a.b.test.example",
        "x.corp.example",
    ] {
        assert_eq!(targets.host(name), Ok(Host::Listed), "{name}");
        assert_eq!(targets.resolved(name, ip("203.0.113.9")), Ok(()));
    }
    for name in [
        "test.example",
        "corp.example",
        "eviltest.example",
        "shop.example.evil",
        "x.shop.example",
        "localhost",
        ".test.example",
        "203.0.113.9",
    ] {
        let error = targets.host(name).unwrap_err().to_string();
        assert!(
            error.contains("*.test.example") && error.contains("allowed_targets"),
            "{error}"
        );
        assert!(targets.resolved(name, ip("203.0.113.9")).is_err());
    }
}

#[test]
fn addresses_decide_where_no_name_does() {
    let targets = listed(&["shop.example", "10.1.0.0/16", "2001:db8::/32", "192.0.2.7"]);
    assert_eq!(targets.host("other.example"), Ok(Host::ByAddress));
    for address in ["10.1.2.3", "::ffff:10.1.2.3", "2001:db8:1::1", "192.0.2.7"] {
        assert_eq!(
            targets.resolved("other.example", ip(address)),
            Ok(()),
            "{address}"
        );
        assert_eq!(targets.host(address), Ok(Host::ByAddress));
    }
    for address in ["10.2.0.0", "2001:db9::1", "192.0.2.8", "127.0.0.1"] {
        let error = targets.resolved("other.example", ip(address)).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with(&format!("other.example ({address}) is not")),
            "{error}"
        );
    }
    assert!(
        listed(&[])
            .host("any")
            .unwrap_err()
            .to_string()
            .contains("(none)")
    );
    assert!(Targets::default().is_anything() && !targets.is_anything());
    assert!(targets.names_hosts() && !listed(&["10.0.0.0/8"]).names_hosts());
}

#[test]
fn what_is_no_target_is_shown_with_the_remedy() {
    for bad in [
        "",
        "*",
        "*.",
        "a b",
        "http://shop",
        "shop:80",
        "10.0.0.7/8",
        "10.0.0.0/33",
        "10.0.0",
        "::/129",
        "a..b",
        "10.0.0.0/+8",
    ] {
        let error = Targets::in_cloud(Some(&[bad.to_owned()])).unwrap_err();
        assert!(error.to_string().contains(&format!("{bad:?}")), "{error}");
    }
}

#[test]
fn what_is_refused_is_all_else_in_few_blocks() {
    let refused = |targets: &Targets| {
        let refused = targets
            .refused()
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>();
        refused.join(" ")
    };
    let own = "169.254.0.0/16 fe80::/10 fd00:ec2::/32 64:ff9b::a9fe:0/112 2002:a9fe::/32";
    assert_eq!(refused(&Targets::default()), "");
    assert_eq!(refused(&Targets::in_cloud(None).unwrap()), own);
    // Names cannot be told from addresses.
    assert_eq!(refused(&listed(&["shop.example", "10.0.0.0/8"])), own);
    assert_eq!(
        refused(&listed(&["128.0.0.0/1", "64.0.0.0/2"])),
        format!("{own} 0.0.0.0/2 ::/0")
    );
    assert_eq!(refused(&listed(&["0.0.0.0/0", "::/0"])), own);
}

proptest! {
    #[test]
    fn an_address_is_refused_or_allowed_and_never_both(
        networks in proptest::collection::vec((any::<u32>(), 0_u8..=32), 0..6),
        addresses in proptest::collection::vec(any::<u32>(), 1..20),
    ) {
        let networks: Vec<_> = networks.iter().map(|&(bits, prefix)| {
            let bits = if prefix == 0 { 0 } else { bits & u32::MAX << (32 - prefix) };
            Network::v4(bits.to_be_bytes(), prefix)
        }).collect();
        let rest = complement(&networks);
        let edges = networks.iter().flat_map(|n| {
            let first = (n.first >> 96) as u32;
            [first, first.wrapping_sub(1), first.wrapping_add(1)]
        });
        for bits in addresses.iter().copied().chain(edges) {
            let address = IpAddr::from(bits.to_be_bytes());
            let inside = networks.iter().any(|n| n.has(address));
            let outside = rest.iter().filter(|n| n.has(address)).count();
            prop_assert_eq!(outside, usize::from(!inside));
        }
        for network in networks.iter().chain(&rest) {
            prop_assert_eq!(network.to_string().parse::<Network>(), Ok(*network));
        }
    }
}
