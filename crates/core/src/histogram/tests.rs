#![allow(clippy::unwrap_used)]
//! The crate `hdrhistogram` is the reference: equal counts, quantiles and bytes.

use super::geometry::lowest_of;
use super::*;
use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};
use proptest::prelude::*;

type Reference = hdrhistogram::Histogram<u64>;

fn reference(values: &[u64]) -> Reference {
    let mut h = Reference::new_with_bounds(LOWEST_US, HIGHEST_US, 3).unwrap();
    for &v in values {
        h.record(v.min(HIGHEST_US)).unwrap();
    }
    h
}

fn ours(values: &[u64]) -> Histogram {
    let mut h = Histogram::new();
    values.iter().for_each(|&v| h.record(v));
    h
}

fn encoded(h: &Histogram) -> Vec<u8> {
    let mut out = Vec::new();
    h.encode_v2(&mut out);
    out
}

/// Values of all magnitudes, with many at the ends of buckets.
fn values(most: usize) -> impl Strategy<Value = Vec<u64>> {
    let value = prop_oneof![
        4 => 0..5_000u64,
        4 => 0..200_000u64,
        2 => 0..=HIGHEST_US,
        1 => (0..32u32, 0..3u64).prop_map(|(shift, off)| ((1u64 << shift) + off).saturating_sub(1).min(HIGHEST_US)),
        1 => HIGHEST_US - 10..HIGHEST_US + 1_000_000,
    ];
    prop::collection::vec(value, 0..most)
}

proptest! {
    #[test]
    fn counts_quantiles_and_bytes_equal_the_reference(values in values(300), q in 0.0..=1.0f64) {
        let (h, r) = (ours(&values), reference(&values));
        prop_assert_eq!(h.count(), r.len());
        let theirs: Vec<_> = r.iter_recorded().map(|v| (v.value_iterated_to(), v.count_at_value())).collect();
        let mine: Vec<_> = h.buckets().map(|b| (b.highest, b.count)).collect();
        prop_assert_eq!(mine, theirs);
        for q in [q, 0.5, 0.9, 0.95, 0.99, 0.999] {
            // Past the exact maximum the reference answers with the end of the bucket.
            let expected = r.value_at_quantile(q).clamp(h.min(), h.max());
            prop_assert_eq!(h.quantile(q), expected, "q {}", q);
        }
        let mut bytes = Vec::new();
        V2Serializer::new().serialize(&r, &mut bytes).unwrap();
        prop_assert_eq!(encoded(&h), bytes);
    }

    #[test]
    fn exact_figures_are_exact(values in values(200)) {
        let h = ours(&values);
        let clamped: Vec<_> = values.iter().map(|&v| v.min(HIGHEST_US)).collect();
        prop_assert_eq!(h.sum(), clamped.iter().sum::<u64>());
        prop_assert_eq!(h.min(), clamped.iter().copied().min().unwrap_or(0));
        prop_assert_eq!(h.max(), clamped.iter().copied().max().unwrap_or(0));
        prop_assert_eq!(h.clamped(), values.iter().filter(|&&v| v > HIGHEST_US).count() as u64);
        prop_assert_eq!(h.quantile(0.0), h.min());
        prop_assert_eq!(h.quantile(1.0), h.max());
    }

    #[test]
    fn both_libraries_read_each_other(values in values(200)) {
        let h = ours(&values);
        let read: Reference = Deserializer::new().deserialize(&mut encoded(&h).as_slice()).unwrap();
        prop_assert_eq!(&read, &reference(&values));
        let mut bytes = Vec::new();
        V2Serializer::new().serialize(&read, &mut bytes).unwrap();
        let mut back = Histogram::new();
        back.add_encoded(h.exact(), h.clamped(), &bytes).unwrap();
        prop_assert_eq!(back, h);
    }

    #[test]
    fn adding_parts_is_recording_the_whole(a in values(150), b in values(150), c in values(50)) {
        let whole = ours(&[a.clone(), b.clone(), c.clone()].concat());
        let (a, b, c) = (ours(&a), ours(&b), ours(&c));
        let mut left = a.clone();
        left.add(&b);
        left.add(&c);
        let mut right = c.clone();
        right.add(&b);
        right.add(&a);
        prop_assert_eq!(&left, &whole);
        prop_assert_eq!(&right, &whole);
        let mut bytes = Histogram::new();
        for part in [&a, &b, &c] {
            bytes.add_encoded(part.exact(), part.clamped(), &encoded(part)).unwrap();
        }
        prop_assert_eq!(&bytes, &whole);
    }

    #[test]
    fn without_exact_figures_the_buckets_bound_them(values in values(200)) {
        let h = ours(&values);
        let mut read = Histogram::new();
        read.add_v2(&encoded(&h)).unwrap();
        prop_assert!(read.indexed().eq(h.indexed()));
        prop_assert!(read.min() <= h.min() && read.max() >= h.max());
        prop_assert!((read.mean() - h.mean()).abs() <= h.mean() / 1_000.0 + 0.5);
    }

    #[test]
    fn damaged_bytes_change_nothing(values in values(60), at in any::<prop::sample::Index>(), to in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let before = ours(&[7, 7_000, 7_000_000]);
        let exact = ours(&values).exact();
        let mut bytes = encoded(&ours(&values));
        let place = at.index(bytes.len());
        bytes[place] = to;
        for bytes in [&bytes[..], &bytes[..cut.index(bytes.len())]] {
            let mut h = before.clone();
            match h.add_v2(bytes) {
                Err(_) => prop_assert_eq!(&h, &before),
                Ok(()) => prop_assert_eq!(h.count(), h.indexed().map(|(_, n)| n).sum::<u64>()),
            }
            let mut h = before.clone();
            let result = h.add_encoded(exact, 0, bytes);
            if result.is_err() {
                prop_assert_eq!(&h, &before);
            }
            prop_assert_eq!(result, check_encoded(exact, 0, bytes));
        }
    }

    #[test]
    fn random_counts_never_panic(counts in prop::collection::vec(any::<u8>(), 0..200)) {
        let before = ours(&[3, 3_000_000]);
        let mut bytes = encoded(&Histogram::new());
        bytes.truncate(codec::HEADER);
        bytes[4..8].copy_from_slice(&(counts.len() as u32).to_be_bytes());
        bytes.extend(counts);
        let mut h = before.clone();
        if h.add_v2(&bytes).is_err() {
            prop_assert_eq!(&h, &before);
        }
    }
}

proptest! {
    #[test]
    fn numbers_of_all_lengths_are_read_one_by_one(numbers in numbers()) {
        let (mut index, mut expected) = (0usize, Ok(Vec::new()));
        let mut counts = Vec::new();
        for &number in &numbers {
            codec::put_varint(&mut counts, codec::zigzag(number));
            if number < 0 {
                index += number.unsigned_abs() as usize;
                continue;
            }
            match &mut expected {
                Ok(_) if index >= BUCKETS => expected = Err(HistogramError::TooLong),
                Ok(buckets) if number > 0 => buckets.push((index, number as u64)),
                _ => {}
            }
            index += 1;
        }
        let mut h = Histogram::new();
        let result = h.add_v2(&with_counts(&counts));
        prop_assert_eq!(result.map(|()| h.indexed().collect::<Vec<_>>()), expected);
    }
}

/// Numbers as they may follow each other in the V2 form, and as no encoder lets them.
fn numbers() -> impl Strategy<Value = Vec<i64>> {
    let number = prop_oneof![
        8 => -3..=3i64,
        4 => -70..=70i64,
        2 => -300..=9_000i64,
        1 => -9_000..=300i64,
        1 => 0..=1i64 << 40,
    ];
    prop::collection::vec(number, 0..60)
}

/// A good header and these counts.
fn with_counts(counts: &[u8]) -> Vec<u8> {
    let mut bytes = encoded(&Histogram::new());
    bytes.truncate(codec::HEADER);
    bytes[4..8].copy_from_slice(&(counts.len() as u32).to_be_bytes());
    bytes.extend(counts);
    bytes
}

#[test]
fn gaps_of_any_length_end_at_the_last_bucket() {
    let counts = |numbers: &[i64]| {
        let mut out = Vec::new();
        for &number in numbers {
            codec::put_varint(&mut out, codec::zigzag(number));
        }
        with_counts(&out)
    };
    let mut h = Histogram::new();
    // Together more than 64 bits, and 64 bits and one bucket: no sum of them may come back to a bucket that exists.
    for gaps in [&[i64::MIN, i64::MIN][..], &[i64::MIN, -i64::MAX, -2]] {
        assert_eq!(h.add_v2(&counts(gaps)), Ok(()));
        let before_a_count = counts(&[gaps, &[1, 1, 1, 1]].concat());
        assert_eq!(h.add_v2(&before_a_count), Err(HistogramError::TooLong));
    }
    assert_eq!(h, Histogram::new());
}

#[test]
fn an_empty_histogram_is_empty() {
    let h = Histogram::new();
    assert_eq!(
        (h.count(), h.sum(), h.min(), h.max(), h.quantile(0.5)),
        (0, 0, 0, 0, 0)
    );
    assert_eq!(h.heap_bytes(), 0);
    let mut other = Histogram::new();
    other.add_encoded(h.exact(), 0, &encoded(&h)).unwrap();
    assert!(other.is_empty() && other.buckets().next().is_none());
}

#[test]
fn every_bucket_holds_its_own_values_and_no_gap_is_between_them() {
    let mut expected = 0;
    for index in 0..=geometry::index_of(HIGHEST_US) {
        let (lowest, highest) = (lowest_of(index), highest_of(index));
        assert_eq!(lowest, expected);
        assert_eq!(
            (index_of(lowest), index_of(highest.min(HIGHEST_US))),
            (index, index)
        );
        // Three digits: values of one bucket differ by less than a thousandth.
        assert!(highest - lowest <= lowest / 1_000);
        expected = highest + 1;
    }
    assert!(expected > HIGHEST_US && geometry::index_of(HIGHEST_US) < BUCKETS);
}

#[test]
fn clearing_keeps_the_memory_and_forgets_the_rest() {
    let mut h = ours(&[1, 1_000, 1_000_000, 2 * HIGHEST_US]);
    let memory = h.heap_bytes();
    h.clear();
    assert_eq!((h.heap_bytes(), &h), (memory, &Histogram::new()));
    h.record(5);
    assert_eq!(h, ours(&[5]));
}

#[test]
fn a_narrow_series_takes_a_few_hundred_bytes() {
    let mut h = Histogram::new();
    (0..10_000).for_each(|i| h.record(20 + i % 30));
    assert!(h.heap_bytes() <= 1_024, "{} bytes", h.heap_bytes());
}

#[test]
fn counts_saturate() {
    let mut h = Histogram::new();
    h.record_n(10, u64::MAX - 1);
    h.record_n(20, 5);
    assert_eq!((h.count(), h.sum()), (u64::MAX, u64::MAX));
    let other = h.clone();
    h.add(&other);
    assert_eq!(h.count(), u64::MAX);
    assert_eq!(h.buckets().map(|b| b.count).sum::<u64>(), u64::MAX);
    assert_eq!(
        h.add_v2(&encoded(&ours(&[1]))),
        Err(HistogramError::Overflow)
    );
}

#[test]
fn counts_at_or_below_leave_out_what_is_not_sure() {
    let h = ours(&[10, 20, 30, 10_000]);
    assert_eq!(
        [5, 10, 29, 30, 9_999, 10_000].map(|v| h.count_at_or_below(v)),
        [0, 1, 2, 3, 3, 4]
    );
}

#[test]
fn headers_of_another_kind_are_refused() {
    let good = encoded(&ours(&[5]));
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        Histogram::new().add_v2(&bytes).unwrap_err().to_string()
    };
    assert_eq!(
        with(3, 0x14),
        "histogram starts with 0x1c849314, not with 0x1c849313 (HdrHistogram V2, uncompressed)"
    );
    assert_eq!(
        with(15, 2),
        "histogram has significant digits 2, not 3: it was recorded with another geometry"
    );
    assert!(with(11, 1).contains("normalizing offset 1"));
    assert!(with(23, 2).contains("lowest value 2"));
    assert!(with(31, 1).contains("highest value"));
    assert!(with(33, 0).contains("conversion ratio"));
    assert!(with(7, 1).contains("accounts for"), "{}", with(7, 1));
    assert!(with(7, 9).contains("needs 49"));
    assert!(
        Histogram::new()
            .add_v2(&good[..20])
            .unwrap_err()
            .to_string()
            .contains("20 bytes")
    );
}

#[test]
fn figures_that_contradict_the_buckets_are_refused() {
    let h = ours(&[100, 200, 300_000]);
    let refuse = |change: fn(&mut Exact), clamped| {
        let mut exact = h.exact();
        change(&mut exact);
        let mut into = ours(&[42]);
        let error = into.add_encoded(exact, clamped, &encoded(&h)).unwrap_err();
        assert_eq!(into, ours(&[42]));
        error.to_string()
    };
    assert_eq!(
        refuse(|e| e.count = 4, 0),
        "histogram says count 4, its buckets say 3"
    );
    assert!(refuse(|e| e.min = 99, 0).contains("minimum 99"));
    assert!(refuse(|e| e.max = 200, 0).contains("maximum 200"));
    assert!(refuse(|e| e.sum = u64::MAX, 0).contains("sum"));
    assert!(refuse(|e| e.sum = 1, 0).contains("sum 1"));
    assert!(refuse(|_| {}, 4).contains("clamped 4"));
}

#[test]
fn runs_past_the_last_bucket_are_refused() {
    let mut bytes = encoded(&ours(&[HIGHEST_US]));
    // One more count after the last bucket that HdrHistogram allots.
    let counts: Vec<u8> = {
        let mut out = Vec::new();
        let zeros = BUCKETS as u64;
        out.extend([
            (zeros * 2 - 1) as u8 | 0x80,
            ((zeros * 2 - 1) >> 7) as u8 | 0x80,
            ((zeros * 2 - 1) >> 14) as u8,
            2,
        ]);
        out
    };
    bytes.truncate(codec::HEADER);
    bytes[4..8].copy_from_slice(&(counts.len() as u32).to_be_bytes());
    bytes.extend(counts);
    assert_eq!(
        Histogram::new().add_v2(&bytes),
        Err(HistogramError::TooLong)
    );
}

#[test]
fn counts_beyond_the_largest_value_count_as_that_value() {
    let mut beyond = Reference::new_with_bounds(LOWEST_US, HIGHEST_US, 3).unwrap();
    beyond.record(4_200_000_000).unwrap();
    let mut bytes = Vec::new();
    V2Serializer::new().serialize(&beyond, &mut bytes).unwrap();
    let mut h = Histogram::new();
    h.add_v2(&bytes).unwrap();
    assert_eq!((h.min(), h.max()), (HIGHEST_US, HIGHEST_US));
    assert_eq!(h.quantile(0.5), HIGHEST_US);
}

#[test]
fn buckets_make_the_histogram_that_they_are_of() {
    let mut h = Histogram::new();
    [0, 1, 2_047, 2_048, 2_049, 5_000, 3_600_000_000]
        .into_iter()
        .for_each(|us| h.record_n(us, us % 7 + 1));
    let again = Histogram::from_buckets(h.exact(), h.buckets()).unwrap();
    assert_eq!(again, h);
    let empty = Histogram::new();
    assert_eq!(
        Histogram::from_buckets(empty.exact(), []).unwrap(),
        empty,
        "no bucket, no sample"
    );
}

#[test]
fn buckets_that_cannot_be_are_refused() {
    let bucket = |lowest, highest, count| Bucket {
        lowest,
        highest,
        count,
    };
    let exact = |count, min, max| Exact {
        count,
        sum: count * min,
        min,
        max,
    };
    let refused = |exact, buckets: &[Bucket]| {
        let error = Histogram::from_buckets(exact, buckets.iter().copied()).unwrap_err();
        error.to_string()
    };
    let wrong = refused(exact(1, 2_049, 2_049), &[bucket(2_049, 2_049, 1)]);
    assert!(wrong.contains("lower bound 2049"), "{wrong}");
    let wrong = refused(exact(1, 2_048, 2_048), &[bucket(2_048, 2_050, 1)]);
    assert!(wrong.contains("upper bound 2050"), "{wrong}");
    let wrong = refused(exact(2, 7, 7), &[bucket(7, 7, 1)]);
    assert!(wrong.contains("count 2"), "{wrong}");
    let wrong = refused(exact(1, 7, 8), &[bucket(7, 7, 1)]);
    assert!(wrong.contains("maximum 8"), "{wrong}");
    let wrong = refused(exact(1, 7, 7), &[bucket(u64::MAX, u64::MAX, 1)]);
    assert!(wrong.contains("one hour"), "{wrong}");
    let wrong = refused(exact(1, 7, 7), &[bucket(7, 7, u64::MAX), bucket(8, 8, 1)]);
    assert!(wrong.contains("exceed"), "{wrong}");
}
