//! Propositions 4.2, 4.3 and 4.4 of the paper, by simulation at sample sizes that only exact moment
//! sampling can reach.

#![expect(clippy::unwrap_used, reason = "clippy allows it in test functions only, not in their helpers")]

use eigensweep_sampling::gaussian::{GaussianSource, Teacher};
use eigensweep_sampling::moments::MomentSampler;
use eigensweep_sampling::streams::{Draw, Streams};
use eigensweep_testkit::random::Random;
use eigensweep_theory::additive::{Additive, AdditiveBatch, Room, Wanted};
use eigensweep_theory::leakage::{CleanMoment, Population};
use eigensweep_theory::metrics::LEAKAGE;
use eigensweep_theory::moments::SampleSums;
use eigensweep_theory::paradigms::{self, SUPERVISED};
use eigensweep_theory::thresholds::{Spectra, Thresholds, thresholds};
use eigensweep_theory::views::{self, SPECTRAL};
use eigensweep_theory::{InstructionSet, MemBuffer, MemStack, Paradigm};
use faer::Mat;

/// Spectra of one problem.
struct Drawn {
    signal: Vec<f64>,
    theta: Vec<f64>,
    gamma: Vec<f64>,
}

impl Drawn {
    fn spectra(&self) -> Spectra<'_> {
        let (theta_signal, theta_noise) = self.theta.split_at(self.signal.len());
        Spectra { signal: &self.signal, theta_signal, gamma: &self.gamma, theta_noise }
    }

    /// At k = k₀.
    fn thresholds(&self) -> Thresholds {
        thresholds(&self.spectra(), self.signal.len()).unwrap()
    }

    /// Writes Σ = Θ + α²Γ.
    fn views(&self, alignment: f64, sigma: &mut [f64]) {
        let (inputs, parameters) = (Mat::new(), [alignment]);
        let Self { theta, gamma, .. } = self;
        let sample = views::Sample { inputs: inputs.as_ref(), theta, gamma, parameters: &parameters };
        (SPECTRAL.covariance)(&sample, sigma);
    }
}

/// Sums of a Gaussian sample of n rows with its unit noise.
struct Sample {
    clean: Mat<f64>,
    cross: Mat<f64>,
    noise: Mat<f64>,
    samples: u64,
}

const LABELS: usize = 3;

impl Sample {
    fn draw(spectra: &Drawn, samples: u64, coordinate: u64) -> Self {
        let streams = Streams::new(0x5eed);
        let (components, noise_components) = (spectra.signal.len(), spectra.gamma.len());
        let teacher = Teacher::Linear { count: LABELS, label_noise: 0.1 };
        let mut source = GaussianSource::new(InstructionSet::detect(), components, teacher);
        source.draw_teacher(&spectra.signal, teacher, &mut streams.stream(Draw::Teacher, &[coordinate]));
        let width = components + LABELS;
        let mut clean = Mat::zeros(width, width);
        let scratch = MomentSampler::scratch(width, noise_components);
        let mut memory = MemBuffer::new(scratch.or(GaussianSource::draw_gram_scratch(width)));
        let stack = MemStack::new(&mut memory);
        let mut rng = streams.stream(Draw::Clean, &[coordinate, samples]);
        source.draw_gram(samples, clean.as_mut(), &mut rng, stack);
        let mut sampler = MomentSampler::new(InstructionSet::detect(), width);
        sampler.condition_on(clean.as_ref(), samples, stack).unwrap();
        let mut cross = Mat::zeros(width, noise_components);
        let mut noise = Mat::zeros(noise_components, noise_components);
        sampler.draw(
            cross.as_mut(),
            noise.as_mut(),
            &mut streams.stream(Draw::Noise, &[coordinate, samples]),
            stack,
        );
        Self { clean, cross, noise, samples }
    }

    fn sums(&self) -> SampleSums<'_> {
        SampleSums {
            clean: self.clean.as_ref(),
            cross: self.cross.as_ref(),
            noise: self.noise.as_ref(),
            samples: self.samples,
        }
    }
}

/// The corrupted problem of a sample, ready to be solved for any α.
struct Corrupted<'a> {
    spectra: &'a Drawn,
    inputs: Mat<f64>,
    input_labels: Mat<f64>,
    label_power: f64,
    sigma: Vec<f64>,
    solver: AdditiveBatch,
}

impl<'a> Corrupted<'a> {
    fn new(spectra: &'a Drawn, sample: &Sample) -> Self {
        let (signal, noise) = (spectra.signal.len(), spectra.gamma.len());
        let size = signal + noise;
        let (mut inputs, mut input_labels) = (Mat::zeros(size, size), Mat::zeros(size, LABELS));
        let roots: Vec<f64> = spectra.gamma.iter().map(|x| x.sqrt()).collect();
        sample.sums().corrupted_moments(&roots, inputs.as_mut(), input_labels.as_mut());
        Self {
            spectra,
            inputs,
            input_labels,
            label_power: sample.sums().label_power(signal),
            sigma: vec![0.0; size],
            solver: solver(size, noise, &paradigms::ALL),
        }
    }

    /// k × leakage of joint-embedding and of reconstruction at k = k₀.
    fn leaked(&mut self, alignment_squared: f64) -> [f64; 2] {
        self.leaked_at(self.spectra.signal.len(), alignment_squared)
    }

    /// The same at any k.
    fn leaked_at(&mut self, k: usize, alignment_squared: f64) -> [f64; 2] {
        let spectra = self.spectra;
        spectra.views(alignment_squared.sqrt(), &mut self.sigma);
        let problem = Additive {
            inputs: self.inputs.as_ref(),
            input_labels: self.input_labels.as_ref(),
            label_power: self.label_power,
            sigma: &self.sigma,
        };
        let population = Population { clean: CleanMoment::Diagonal(&spectra.signal), gamma: &spectra.gamma };
        self.solver.solve_one(&problem, &[k], Some(population));
        [1, 2].map(|paradigm| self.solver.represented(0, paradigm).unwrap().metric(0)[0] * k as f64)
    }
}

/// Room for one shape of problems; leakage where there is noise.
fn solver(size: usize, noise: usize, paradigms: &[&'static Paradigm]) -> AdditiveBatch {
    let room = Room {
        size,
        smallest: size,
        noise_components: noise,
        labels: LABELS,
        dimension: size,
        dimensions: 1,
    };
    let metrics = if paradigms.len() > 1 { vec![&LEAKAGE] } else { Vec::new() };
    let wanted = Wanted { paradigms: paradigms.to_vec(), metrics };
    AdditiveBatch::new(InstructionSet::detect(), room, wanted)
}

/// Sample size of the limit: reconstruction needs it, because its pencil squares the cross moments.
const SAMPLES: u64 = 1_000_000_000_000;

/// Spectra whose thresholds are both positive. Signal over three decades; noise and views over
/// four.
fn spectra_with_thresholds(count: usize) -> Vec<Drawn> {
    let mut random = Random(2025);
    let mut found = Vec::new();
    let mut tried = 0;
    while found.len() < count {
        tried += 1;
        assert!(tried < 10_000, "thresholds are positive often enough");
        let (signal, noise) = (3 + random.below(10), 1 + random.below(12));
        let drawn = Drawn {
            signal: (0..signal).map(|_| random.decades(-1.0, 2.0)).collect(),
            theta: (0..signal + noise).map(|_| random.decades(-2.0, 2.0)).collect(),
            gamma: (0..noise).map(|_| random.decades(-2.0, 2.0)).collect(),
        };
        let limits = drawn.thresholds();
        if limits.alpha_je_squared > 0.0 && limits.alpha_rc_squared > 0.0 {
            found.push(drawn);
        }
    }
    found
}

/// Propositions 4.3 and 4.4: 5 % above its threshold on α² a paradigm keeps the signal alone, 5 %
/// below it one of its k = k₀ components is noise.
///
/// At n = 10¹² sample moments are within 10⁻⁵ of the population's, a hundred times nearer than the
/// thresholds of the spectra drawn here can notice: not a matter of chance.
#[test]
fn representations_switch_at_the_thresholds() {
    let (mut most_above, mut least_below) = ([0.0_f64; 2], [f64::INFINITY; 2]);
    for (coordinate, spectra) in spectra_with_thresholds(60).iter().enumerate() {
        let limits = spectra.thresholds();
        let sample = Sample::draw(spectra, SAMPLES, coordinate as u64);
        let mut corrupted = Corrupted::new(spectra, &sample);
        for (p, name, limit) in
            [(0, "joint-embedding", limits.alpha_je_squared), (1, "reconstruction", limits.alpha_rc_squared)]
        {
            let above = corrupted.leaked(1.05 * limit)[p];
            let below = corrupted.leaked(0.95 * limit)[p];
            let place = format!(
                "spectra {coordinate}, {name}: k₀ = {}, p = {}, α² = {limit:.3e}: {above:.1e} above, {below:.4} below",
                spectra.signal.len(),
                spectra.gamma.len(),
            );
            assert!(above < 1e-6, "{place}");
            assert!(below > 0.9, "{place}");
            most_above[p] = most_above[p].max(above);
            least_below[p] = least_below[p].min(below);
        }
    }
    println!("k × leakage: above at most {most_above:?}, below at least {least_below:.4?}");
}

/// The same for every k from 1 to k₀, whose thresholds are those of the k-th strongest component:
/// at k, 5 % above on α² the representation is signal alone, 5 % below one of its components is
/// noise. Where the threshold is negative, α = 0 does. One more dimension than there is signal is
/// noise whatever α is.
#[test]
fn narrow_representations_switch_at_the_thresholds_of_their_dimension() {
    // A threshold nearer to 0 than that is within the noise of a sample of its terms.
    const LEAST: f64 = 0.05;
    let (mut most_above, mut least_below, mut counts) = ([0.0_f64; 2], [f64::INFINITY; 2], [[0; 2]; 2]);
    for (coordinate, spectra) in spectra_with_thresholds(60).iter().enumerate() {
        let sample = Sample::draw(spectra, SAMPLES, 3_000_000 + coordinate as u64);
        let mut corrupted = Corrupted::new(spectra, &sample);
        let components = spectra.signal.len();
        for k in 1..=components {
            let limits = thresholds(&spectra.spectra(), k).unwrap();
            for (p, (paradigm, limit)) in limits.limits().enumerate() {
                let place =
                    format!("spectra {coordinate}, {paradigm}, k = {k} of {components}, α² = {limit:.3e}");
                if limit > LEAST {
                    let above = corrupted.leaked_at(k, 1.05 * limit)[p];
                    let below = corrupted.leaked_at(k, 0.95 * limit)[p];
                    assert!(above < 1e-6, "{place}: {above:.1e} above");
                    assert!(below > 0.9, "{place}: {below:.4} below");
                    most_above[p] = most_above[p].max(above);
                    least_below[p] = least_below[p].min(below);
                } else if limit < -LEAST {
                    let leaked = corrupted.leaked_at(k, 0.0)[p];
                    assert!(leaked < 1e-5, "{place}: {leaked:.1e} at α = 0");
                }
                counts[p][usize::from(limit > 0.0)] += 1;
            }
        }
        for alignment_squared in [0.0, 1.0, 1e6] {
            let leaked = corrupted.leaked_at(components + 1, alignment_squared);
            assert!(leaked.iter().all(|&leaked| leaked > 0.99), "spectra {coordinate}, k₀ + 1: {leaked:?}");
        }
    }
    println!("k × leakage: above at most {most_above:?}, below at least {least_below:.4?}; {counts:?}");
    assert!(counts.iter().flatten().all(|&count| count >= 20), "both signs: {counts:?}");
}

/// Where a threshold is negative, no alignment is needed: α = 0 keeps the signal alone.
#[test]
fn negative_thresholds_need_no_alignment() {
    let mut random = Random(77);
    let mut found = [0; 2];
    for coordinate in 0..2000 {
        let (signal, noise) = (3 + random.below(10), 1 + random.below(4));
        let spectra = Drawn {
            signal: (0..signal).map(|_| random.decades(0.0, 2.0)).collect(),
            theta: (0..signal + noise).map(|_| random.decades(-2.0, 1.0)).collect(),
            gamma: (0..noise).map(|_| random.decades(-2.0, 0.0)).collect(),
        };
        let limits = spectra.thresholds();
        let limits = [limits.alpha_je_squared, limits.alpha_rc_squared];
        // In units of λ^Θ/λ^Γ (joint-embedding) and of 1 (reconstruction) the distance of the
        // threshold from 0 is the margin.
        if limits.iter().all(|&limit| limit >= -0.05) || found.iter().all(|&count| count >= 20) {
            continue;
        }
        let sample = Sample::draw(&spectra, SAMPLES, 1_000_000 + coordinate);
        let leaked = Corrupted::new(&spectra, &sample).leaked(0.0);
        for p in 0..2 {
            if limits[p] < -0.05 {
                found[p] += 1;
                assert!(leaked[p] < 1e-5, "spectra {coordinate}, paradigm {p}: {leaked:?}, {limits:?}");
            }
        }
    }
    assert!(found.iter().all(|&count| count >= 20), "{found:?}");
}

/// Proposition 4.2: the corrupted supervised model recovers the clean one for every α. Its
/// distance, over four decades of α, falls like 1/n.
///
/// The distance at one n is a random multiple of 1/n; over 20 replicates its mean is known to about
/// 30 %, so a slope over six decades to 0.03 and 0.15 is 5σ.
#[test]
fn supervised_distance_falls_like_one_over_n() {
    let mut random = Random(42);
    let exponents = [4, 5, 6, 7, 8, 9, 10];
    let alphas = [0.0, 0.1, 1.0, 10.0];
    let mut means = vec![vec![0.0; exponents.len()]; alphas.len()];
    const REPLICATES: u64 = 20;
    for replicate in 0..REPLICATES {
        let spectra = Drawn {
            signal: (0..6).map(|_| random.decades(0.0, 1.0)).collect(),
            theta: (0..10).map(|_| random.decades(-1.0, 0.0)).collect(),
            gamma: (0..4).map(|_| random.decades(-1.0, 2.0)).collect(),
        };
        for (at, &exponent) in exponents.iter().enumerate() {
            let sample = Sample::draw(&spectra, 10_u64.pow(exponent), 2_000_000 + replicate);
            let mut corrupted = Corrupted::new(&spectra, &sample);
            let (mut inputs, mut input_labels) = (Mat::zeros(6, 6), Mat::zeros(6, LABELS));
            sample.sums().clean_moments(inputs.as_mut(), input_labels.as_mut());
            let clean = Additive {
                inputs: inputs.as_ref(),
                input_labels: input_labels.as_ref(),
                label_power: corrupted.label_power,
                sigma: &spectra.theta[..6],
            };
            let loss = |solver: &mut AdditiveBatch, problem: &Additive<'_>| {
                solver.solve_one(problem, &[1], None);
                solver.represented(0, 0).unwrap().losses[0]
            };
            let clean_loss = loss(&mut solver(6, 0, &[&SUPERVISED]), &clean);
            corrupted.solver = solver(10, 4, &[&SUPERVISED]);
            for (a, alpha) in alphas.iter().enumerate() {
                spectra.views(*alpha, &mut corrupted.sigma);
                let problem = Additive {
                    inputs: corrupted.inputs.as_ref(),
                    input_labels: corrupted.input_labels.as_ref(),
                    label_power: corrupted.label_power,
                    sigma: &corrupted.sigma,
                };
                means[a][at] +=
                    (loss(&mut corrupted.solver, &problem) - clean_loss).abs() / REPLICATES as f64;
            }
        }
    }
    for (alpha, means) in alphas.iter().zip(&means) {
        let logs: Vec<f64> = means.iter().map(|m| m.log10()).collect();
        let slope = regression_slope(&exponents.map(f64::from), &logs);
        println!("α = {alpha}: slope {slope:.3}, distances {means:?}");
        assert!((slope + 1.0).abs() < 0.15, "α = {alpha}: slope {slope}, {means:?}");
    }
}

fn regression_slope(x: &[f64], y: &[f64]) -> f64 {
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let (mx, my) = (mean(x), mean(y));
    let cross: f64 = x.iter().zip(y).map(|(a, b)| (a - mx) * (b - my)).sum();
    cross / x.iter().map(|a| (a - mx) * (a - mx)).sum::<f64>()
}
