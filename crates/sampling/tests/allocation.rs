//! No sampler allocates on the calling thread, once warm.

mod common;

use common::{normals, stream};
use eigensweep_sampling::explicit::{BLOCK_ROWS, ExplicitNoise};
use eigensweep_sampling::gaussian::{GaussianSource, Teacher};
use eigensweep_sampling::glyphs;
use eigensweep_sampling::moments::MomentSampler;
use eigensweep_sampling::spectrum::Spectrum;
use eigensweep_sampling::streams::{Draw, Streams};
use eigensweep_sampling::subset::{NestedGram, Rows, permute};
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::{MemBuffer, MemStack};
use eigensweep_testkit::allocator::{Counting, calls};
use faer::Mat;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn no_sampler_allocates_once_warm() {
    for (components, labels, noise) in [(2, 2, 3), (5, 3, 5), (50, 10, 50), (90, 10, 100)] {
        let width = components + labels;
        let teachers = [
            Teacher::Linear { count: labels, label_noise: 0.1 },
            Teacher::Classes { count: labels, separation: 0.5 },
        ];
        let mut source = GaussianSource::new(InstructionSet::detect(), components, teachers[0]);
        let mut sampler = MomentSampler::new(InstructionSet::detect(), width);
        let scratch = GaussianSource::draw_gram_scratch(width).or(MomentSampler::scratch(width, noise));
        let mut memory = MemBuffer::new(scratch);
        let mut explicit = ExplicitNoise::new(InstructionSet::detect(), noise);
        let mut nested = NestedGram::new(InstructionSet::detect(), width, 0);
        let values: Vec<f64> = normals(width, 300, &mut stream(1))
            .col_iter()
            .flat_map(|c| c.iter().copied().collect::<Vec<_>>())
            .collect();
        let mut image = [0; glyphs::PIXELS];
        let (mut order, mut pool) = (vec![0; 300], vec![0; 300]);
        let mut signal = vec![0.0; components];
        let (mut gram, mut cross, mut gram_of_noise) =
            (Mat::zeros(width, width), Mat::zeros(width, noise), Mat::zeros(noise, noise));
        let mut rows = Mat::zeros(width, BLOCK_ROWS);
        for pass in 0..3_u64 {
            let mut work = || {
                let stack = MemStack::new(&mut memory);
                glyphs::draw(&Streams::new(1), pass, &mut image);
                let mut rng = Streams::new(1).stream(Draw::Clean, &[pass, 10]);
                Spectrum::Uniform.fill_unit(&mut signal, &mut rng);
                permute(300, &mut order, &mut pool, &mut rng);
                nested.restart();
                for n in [10, 64, 250] {
                    nested.extend_to(
                        &Rows { values: &values, width, classes: &[] },
                        &order,
                        n,
                        gram.as_mut(),
                    );
                    sampler.condition_on(gram.as_ref(), n as u64, stack).unwrap();
                    sampler.draw(cross.as_mut(), gram_of_noise.as_mut(), &mut rng, stack);
                }
                for teacher in teachers {
                    source.draw_teacher(&signal, teacher, &mut rng);
                    for n in [1, 10, 200, 1_000_000_000_000] {
                        source.draw_gram(n, gram.as_mut(), &mut rng, stack);
                        sampler.condition_on(gram.as_ref(), n, stack).unwrap();
                        sampler.draw(cross.as_mut(), gram_of_noise.as_mut(), &mut rng, stack);
                    }
                    source.draw_rows(rows.as_mut(), &mut rng);
                    explicit.add_rows(rows.as_ref(), cross.as_mut(), gram_of_noise.as_mut(), &mut rng);
                }
            };
            let count = calls(&mut work);
            assert!(
                pass == 0 || count == 0,
                "k₀ = {components}, ℓ = {labels}, p = {noise}: {count} allocations"
            );
        }
    }
}
