//! Parsing filters and building sets.

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tweetfilter_bench::workload::{SIZES, all};
use tweetfilter_core::Expression;

fn parse(c: &mut Criterion) {
    let mut group = c.benchmark_group("parse");
    for workload in all(10_000) {
        let parsed = workload.filters.iter().filter(|filter| Expression::parse(filter).is_ok()).count();
        assert_eq!(parsed, workload.filters.len(), "a filter is no expression");
        group.throughput(Throughput::Elements(parsed as u64));
        group.bench_function(workload.name, |b| {
            b.iter(|| {
                workload
                    .filters
                    .iter()
                    .map(|filter| Expression::parse(black_box(filter)))
                    .filter(Result::is_ok)
                    .count()
            });
        });
    }
}

fn build(c: &mut Criterion) {
    let mut group = c.benchmark_group("build");
    group.sample_size(10);
    for workload in all(100_000) {
        for size in SIZES {
            assert_eq!(workload.set(size).len(), size);
            let statistics = workload.statistics();
            group.throughput(Throughput::Elements(size as u64));
            group.bench_function(BenchmarkId::new(workload.name, size), |b| {
                b.iter_batched(
                    || statistics.clone(),
                    |statistics| workload.builder(size, statistics).build(),
                    BatchSize::PerIteration,
                );
            });
        }
    }
}

criterion_group!(benches, parse, build);
criterion_main!(benches);
