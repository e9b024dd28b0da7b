//! Matching posts one by one, in batches and for audiences, with a plain loop and mokaccino beside.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tweetfilter_bench::check;
use tweetfilter_bench::rivals::{Mokaccino, document};
use tweetfilter_bench::workload::{SIZES, Workload, all};
use tweetfilter_core::Scratch;

fn matching(c: &mut Criterion) {
    for workload in all(SIZES[SIZES.len() - 1]) {
        for size in SIZES {
            ours(c, &workload, size);
            rivals(c, &workload, size);
        }
    }
}

fn ours(c: &mut Criterion, workload: &Workload, size: usize) {
    let set = workload.set(size);
    let count = check::ways(workload, &set);
    let posts = &workload.posts;
    let mut group = c.benchmark_group(format!("match/{}", workload.name));
    group.sample_size(10).throughput(Throughput::Elements(posts.len() as u64));
    let mut scratch = Scratch::default();
    group.bench_function(BenchmarkId::new("single", size), |b| {
        b.iter(|| {
            let found: usize = posts.iter().map(|post| set.matches_with(&mut scratch, post).len()).sum();
            assert_eq!(found as u64, count);
        });
    });
    group.bench_function(BenchmarkId::new("batch", size), |b| {
        b.iter(|| {
            let mut found = 0;
            set.matches_batch(&mut scratch, posts, |_, matches| found += matches.len() as u64);
            assert_eq!(found, count);
        });
    });
    let (owned, audiences) = (workload.owned_set(size), workload.audiences(size));
    let pass = |scratch: &mut Scratch| {
        let one = |(post, owners)| owned.matches_for(scratch, post, owners).len();
        posts.iter().zip(audiences.iter().map(Vec::as_slice)).map(one).sum::<usize>()
    };
    let seen = check::audience(workload, &owned, &audiences);
    group.bench_function(BenchmarkId::new("audience", size), |b| {
        b.iter(|| assert_eq!(pass(&mut scratch) as u64, seen));
    });
}

fn rivals(c: &mut Criterion, workload: &Workload, size: usize) {
    let set = workload.set(size);
    let posts = &workload.posts[..(1_000_000 / size).clamp(10, workload.posts.len())];
    let mut scratch = Scratch::default();
    let count: usize = posts.iter().map(|post| set.matches_with(&mut scratch, post).len()).sum();
    let rival = Mokaccino::new(&workload.filters[..size]);
    let documents: Vec<_> = posts.iter().map(document).collect();
    let theirs = check::rival(&set, &rival, posts, &documents);
    let mut other = Scratch::default();
    let scanned: usize = posts.iter().map(|post| set.matches_scanned(&mut other, post).len()).sum();
    assert_eq!(scanned, count, "the index loses or invents a match");
    let mut group = c.benchmark_group(format!("rivals/{}", workload.name));
    group.sample_size(10).throughput(Throughput::Elements(posts.len() as u64));
    group.bench_function(BenchmarkId::new("ours", size), |b| {
        b.iter(|| {
            let found: usize = posts.iter().map(|post| set.matches_with(&mut scratch, post).len()).sum();
            assert_eq!(found, count);
        });
    });
    group.bench_function(BenchmarkId::new("plain loop", size), |b| {
        b.iter(|| {
            let found: usize = posts.iter().map(|post| set.matches_scanned(&mut scratch, post).len()).sum();
            assert_eq!(found, count);
        });
    });
    group.bench_function(BenchmarkId::new("mokaccino", size), |b| {
        b.iter(|| assert_eq!(documents.iter().map(|document| rival.count(document)).sum::<u64>(), theirs));
    });
}

criterion_group!(benches, matching);
criterion_main!(benches);
