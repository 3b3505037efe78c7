//! Reading JMeter's CSV and XML into a collector.
#![allow(clippy::unwrap_used, missing_docs)]

use divan::{Bencher, counter::BytesCount};
use floodgate_engines::collector::{Collector, Settings};
use floodgate_engines::jmeter::{Options, Paces, reader};
use floodgate_records::metric::Tags;

fn main() {
    divan::main();
}

const START_MS: u64 = 1_795_328_407_294;

/// Samples of 200 threads and 8 samplers as JMeter 5.6 writes them, in our columns; every 50th is redirected.
fn csv(samples: u64) -> Vec<u8> {
    let mut text = String::from(
        "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,\
         grpThreads,allThreads,URL,Latency,IdleTime,Connect\n",
    );
    for n in 0..samples {
        let at = START_MS + n / 4;
        let (thread, sampler) = (n % 200 + 1, n * 7 % 8);
        let elapsed = 5 + n * 31 % 90;
        let parts = if n % 50 == 0 { 2 } else { 0 };
        text += &format!(
            "{at},{elapsed},Page {sampler} of the shop,200,OK,Shop visitors 1-{thread},text,true,,{},{},200,200,\
             http://shop.example.org/catalogue/page/{sampler},{},0,{}\n",
            1_307 + n % 900,
            117,
            elapsed - 2,
            n % 3
        );
        for part in 0..parts {
            text += &format!(
                "{at},{},Page {sampler} of the shop-{part},302,Found,Shop visitors 1-{thread},text,true,,307,117,200,200,\
                 http://shop.example.org/catalogue/page/{sampler},2,0,0\n",
                elapsed / 2
            );
        }
    }
    text.into_bytes()
}

fn xml(samples: u64) -> Vec<u8> {
    let mut text =
        String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testResults version=\"1.2\">\n");
    for n in 0..samples {
        text += &format!(
            "<httpSample t=\"{}\" it=\"0\" lt=\"4\" ct=\"0\" ts=\"{}\" s=\"true\" lb=\"Page {}\" rc=\"200\" rm=\"OK\" \
             tn=\"Shop visitors 1-{}\" dt=\"text\" by=\"1307\" sby=\"117\" ng=\"200\" na=\"200\">\n  \
             <java.net.URL>http://shop.example.org/page</java.net.URL>\n</httpSample>\n",
            5 + n * 31 % 90,
            START_MS + n / 4,
            n % 8,
            n % 200 + 1
        );
    }
    (text + "</testResults>\n").into_bytes()
}

fn read(bencher: Bencher<'_, '_>, file: &[u8]) {
    bencher.counter(BytesCount::of_slice(file)).bench_local(|| {
        let mut all = Collector::new(Settings {
            origin_ms: START_MS as i64,
            max_series: 2_000,
            folding: Default::default(),
            tags: Tags::new(),
        });
        // As of a run, which has response times.
        let mut reader = reader(Options {
            paces: Some(Paces::default()),
            ..Options::default()
        });
        let mut rows = Vec::new();
        for (n, piece) in file.chunks(1 << 16).enumerate() {
            reader.push(piece, &mut all).unwrap();
            // As the generator does: windows that are over become rows.
            if n % 64 == 0 {
                rows.clear();
                all.close(all.latest_ms().unwrap_or(0) - 10_000, &mut rows);
            }
        }
        reader.finish(&mut all).unwrap();
        all.totals()
    });
}

#[divan::bench]
fn jtl_csv(bencher: Bencher<'_, '_>) {
    read(bencher, &csv(200_000));
}

#[divan::bench]
fn jtl_xml(bencher: Bencher<'_, '_>) {
    read(bencher, &xml(20_000));
}
