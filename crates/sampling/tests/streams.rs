//! Streams: a change of the scheme is noticed, and everything that names a draw tells streams
//! apart.

use std::collections::BTreeSet;

use eigensweep_sampling::streams::{Draw, SCHEME, Streams};
use rand::Rng;

const DRAWS: [Draw; 12] = [
    Draw::SignalSpectrum,
    Draw::CorruptionSpectrum,
    Draw::AugmentationSpectrum,
    Draw::Teacher,
    Draw::Subset,
    Draw::Clean,
    Draw::Noise,
    Draw::Glyph,
    Draw::Corruption,
    Draw::HeldOut,
    Draw::SampledViews,
    Draw::Features,
];

fn first(seed: u64, draw: Draw, coordinates: &[u64]) -> [u64; 2] {
    let mut rng = Streams::new(seed).stream(draw, coordinates);
    [rng.next_u64(), rng.next_u64()]
}

/// If this fails, data sets drawn before can no longer be extended: `SCHEME` needs a new number.
#[test]
fn the_scheme_is_the_recorded_one() {
    assert_eq!(SCHEME, "eigensweep streams 1");
    let found = [
        first(0, Draw::SignalSpectrum, &[]),
        first(1, Draw::Noise, &[3, 1000]),
        first(u64::MAX, Draw::Subset, &[u64::MAX]),
    ];
    assert_eq!(found, GOLDEN);
}

/// As computed apart from this code, by another implementation of BLAKE3 and twenty lines of
/// xoshiro256++ in Python.
const GOLDEN: [[u64; 2]; 3] = [
    [11_811_152_492_874_193_443, 8_612_074_257_190_658_512],
    [6_967_988_632_986_998_016, 5_480_073_402_486_010_955],
    [16_610_756_275_767_646_407, 6_677_956_756_641_355_742],
];

#[test]
fn draws_are_numbered_as_recorded() {
    assert_eq!(DRAWS.map(|d| d as u8), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
}

#[test]
fn the_same_name_gives_the_same_stream() {
    let streams = Streams::new(5);
    let _ = streams.stream(Draw::Clean, &[1]);
    assert_eq!(first(5, Draw::Noise, &[7, 8]), first(5, Draw::Noise, &[7, 8]));
}

/// Seeds, draws, coordinates and the number of coordinates.
#[test]
fn different_names_give_different_streams() {
    let mut seen = BTreeSet::new();
    let mut names = 0;
    for seed in [0, 1, 1 << 32, u64::MAX] {
        for draw in DRAWS {
            let mut coordinates = vec![vec![]];
            for a in 0..10 {
                coordinates.push(vec![a]);
                for b in 0..10 {
                    coordinates.push(vec![a, b]);
                    coordinates.push(vec![a, b << 56]);
                }
            }
            coordinates.dedup();
            let distinct: BTreeSet<_> = coordinates.into_iter().collect();
            for c in &distinct {
                names += 1;
                seen.insert(first(seed, draw, c));
            }
        }
    }
    assert_eq!(seen.len(), names);
}

#[test]
fn a_prefix_of_coordinates_is_another_name() {
    for draw in DRAWS {
        assert_ne!(first(1, draw, &[]), first(1, draw, &[0]));
        assert_ne!(first(1, draw, &[1]), first(1, draw, &[1, 0]));
        assert_ne!(first(1, draw, &[1, 0]), first(1, draw, &[0, 1]));
        assert_ne!(first(1, draw, &[256]), first(1, draw, &[1]));
    }
}

/// The bits of first words over consecutive coordinates are fair: 64 counts within 5σ, false once
/// in 27 000.
#[test]
fn streams_of_neighbours_are_unrelated() {
    const STREAMS: u64 = 20_000;
    let words: Vec<u64> = (0..STREAMS).map(|i| first(9, Draw::Noise, &[i, 100])[0]).collect();
    let allowed = 5.0 * (STREAMS as f64).sqrt() / 2.0;
    for bit in 0..64 {
        let ones = words.iter().filter(|&&w| w >> bit & 1 == 1).count();
        assert!((ones as f64 - STREAMS as f64 / 2.0).abs() <= allowed, "bit {bit}: {ones}");
        let flips = words.windows(2).filter(|w| (w[0] ^ w[1]) >> bit & 1 == 1).count();
        assert!((flips as f64 - STREAMS as f64 / 2.0).abs() <= allowed, "bit {bit}: {flips} flips");
    }
}
