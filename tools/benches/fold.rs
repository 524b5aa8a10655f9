//! Folding of logs: how many bytes a second a view of a log is made from.
#![allow(missing_docs, clippy::unwrap_used)]

use divan::Bencher;
use divan::counter::BytesCount;
use marple_tools::view::{Limits, bounded};

fn main() {
    divan::main();
}

const MIB: usize = 1 << 20;

/// An access log: the same statement with other times, paths and numbers.
fn access(bytes: usize) -> String {
    filled(bytes, |line| {
        let status = if line % 500 == 499 { 503 } else { 200 };
        format!(
            "2026-01-02T03:{:02}:{:02}Z INFO request served path=/api/items/{} status={status} ms={}\n",
            line / 60 % 60,
            line % 60,
            line % 97,
            line % 40
        )
    })
}

/// Stack traces between lines of work: cycles of several lines.
fn traces(bytes: usize) -> String {
    filled(bytes, |line| {
        format!(
            "2026-01-02T03:04:05Z ERROR order {line} failed\njava.lang.IllegalStateException: no stock\n\
             \tat com.shop.Stock.take(Stock.java:41)\n\tat com.shop.Order.place(Order.java:17)\n"
        )
    })
}

/// Lines of which none is like another: nothing folds.
fn distinct(bytes: usize) -> String {
    let words = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel"];
    filled(bytes, |line| {
        let word = |shift: usize| words.get(line >> shift & 7).copied().unwrap_or_default();
        format!("{} {} {} {} {} {} did something\n", word(0), word(3), word(6), word(9), word(12), word(15))
    })
}

fn filled(bytes: usize, line: impl Fn(usize) -> String) -> String {
    let mut text = String::with_capacity(bytes + 256);
    for number in 0.. {
        if text.len() >= bytes {
            break;
        }
        text.push_str(&line(number));
    }
    text
}

fn bench(bencher: Bencher<'_, '_>, log: &str) {
    bencher.counter(BytesCount::of_str(log)).bench_local(|| bounded(divan::black_box(log), Limits::default()));
}

#[divan::bench]
fn access_log_of_8_mib(bencher: Bencher<'_, '_>) {
    bench(bencher, &access(8 * MIB));
}

#[divan::bench]
fn stack_traces_of_8_mib(bencher: Bencher<'_, '_>) {
    bench(bencher, &traces(8 * MIB));
}

#[divan::bench]
fn distinct_lines_of_8_mib(bencher: Bencher<'_, '_>) {
    bench(bencher, &distinct(8 * MIB));
}
