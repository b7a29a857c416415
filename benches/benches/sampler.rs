//! Microseconds per call of the samplers, at the sizes of Figure 3: k₀ = 50, ℓ = 10, p = 50.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use eigensweep_benches::problems::{Cell, LABELS, SplitMix, signal_like_mnist, stream};
use eigensweep_sampling::explicit::{BLOCK_ROWS, ExplicitNoise};
use eigensweep_sampling::gaussian::{GaussianSource, Teacher};
use eigensweep_sampling::moments::MomentSampler;
use eigensweep_sampling::subset::{NestedGram, Rows, permute};
use eigensweep_sampling::wishart;
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::{MemBuffer, MemStack};
use faer::Mat;

const SIGNAL: usize = 50;
const NOISE: usize = 50;
const WIDTH: usize = SIGNAL + LABELS;

/// Rows of the synthetic data set, as many as MNIST's training set.
const TOTAL: u32 = 60_000;

fn samplers(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sampling");
    group.sample_size(20).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(1));
    let cell = Cell::new(SIGNAL + NOISE, 1e6).expect("a sample of full rank");
    let mut rng = stream(1);
    let (mut cross, mut noise) = (Mat::zeros(WIDTH, NOISE), Mat::zeros(NOISE, NOISE));

    let mut sampler = MomentSampler::new(InstructionSet::detect(), WIDTH);
    let scratch = MomentSampler::scratch(WIDTH, NOISE).or(GaussianSource::draw_gram_scratch(WIDTH));
    let mut memory = MemBuffer::new(scratch);
    let stack = MemStack::new(&mut memory);
    group.bench_function("MomentSampler::condition_on", |b| {
        b.iter(|| sampler.condition_on(black_box(cell.clean.as_ref()), cell.samples, stack));
    });
    group.bench_function("MomentSampler::draw", |b| {
        b.iter(|| sampler.draw(cross.as_mut(), noise.as_mut(), &mut rng, stack));
    });

    let mut root = Mat::zeros(NOISE, NOISE);
    group.bench_function("wishart::root, p = 50", |b| {
        b.iter(|| wishart::root(root.as_mut(), 3140, &mut rng));
    });

    let mut gram = Mat::zeros(WIDTH, WIDTH);
    for (name, teacher) in [
        ("classes", Teacher::Classes { count: LABELS, separation: 0.5 }),
        ("linear", Teacher::Linear { count: LABELS, label_noise: 0.1 }),
    ] {
        let mut source = GaussianSource::new(InstructionSet::detect(), SIGNAL, teacher);
        source.draw_teacher(&signal_like_mnist(SIGNAL), teacher, &mut rng);
        group.bench_function(format!("GaussianSource::draw_gram, {name}"), |b| {
            b.iter(|| source.draw_gram(3200, gram.as_mut(), &mut rng, stack));
        });
    }

    let mut explicit = ExplicitNoise::new(InstructionSet::detect(), NOISE);
    let block = SplitMix::new(2).matrix(WIDTH, BLOCK_ROWS);
    group.bench_function("ExplicitNoise, n = 1000", |b| {
        b.iter(|| {
            let mut left = 1000;
            while left > 0 {
                let count = left.min(BLOCK_ROWS);
                let rows = black_box(block.as_ref()).subcols(0, count);
                explicit.add_rows(rows, cross.as_mut(), noise.as_mut(), &mut rng);
                left -= count;
            }
        });
    });
}

fn subsets(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("subset");
    group.sample_size(20).warm_up_time(Duration::from_millis(200)).measurement_time(Duration::from_secs(2));
    let mut rng = stream(1);
    let total = TOTAL as usize;
    let (mut order, mut pool) = (vec![0; 51_200], vec![0; total]);
    group.bench_function("permute, 51,200 of 60,000", |b| {
        b.iter(|| permute(black_box(TOTAL), &mut order, &mut pool, &mut rng));
    });
    let mut uniform = SplitMix::new(3);
    let values: Vec<f64> = (0..total * WIDTH).map(|_| uniform.uniform()).collect();
    let rows = Rows { values: &values, width: WIDTH, classes: &[] };
    let mut nested = NestedGram::new(InstructionSet::detect(), WIDTH, 0);
    let mut gram = Mat::zeros(WIDTH, WIDTH);
    group.bench_function("NestedGram, n = 100 to 51,200, all ten", |b| {
        b.iter(|| {
            nested.restart();
            for j in 0..10 {
                nested.extend_to(black_box(&rows), &order, 100 << j, gram.as_mut());
            }
        });
    });
}

criterion_group!(benches, samplers, subsets);
criterion_main!(benches);
