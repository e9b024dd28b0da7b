//! Decoding lines: the wire's own reader and serde_json, into the same struct.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tweetfilter_bench::workload::all;
use tweetfilter_stream::wire::{decode, decode_tweet_by_serde_json};

fn decoding(c: &mut Criterion) {
    for workload in all(100) {
        let lines = &workload.lines[..workload.lines.len().min(2000)];
        if lines.is_empty() {
            continue;
        }
        for line in lines {
            let both = (decode(line.as_bytes()), decode_tweet_by_serde_json(line.as_bytes()));
            assert_eq!(both.0, both.1, "the decoders differ");
        }
        let mut group = c.benchmark_group(format!("decode/{}", workload.name));
        group.throughput(Throughput::Bytes(lines.iter().map(String::len).sum::<usize>() as u64));
        group.bench_function("own reader", |b| {
            b.iter(|| lines.iter().filter(|line| decode(line.as_bytes()).is_ok()).count());
        });
        group.bench_function("serde_json", |b| {
            b.iter(|| {
                lines.iter().filter(|line| decode_tweet_by_serde_json(line.as_bytes()).is_ok()).count()
            });
        });
    }
}

criterion_group!(benches, decoding);
criterion_main!(benches);
