//! No kernel allocates on the calling thread, once warm.

mod common;

use common::workspace;
use eigensweep_spectral::MemStack;
use eigensweep_spectral::cholesky::{factor_in_place, solve_in_place};
use eigensweep_spectral::dense;
use eigensweep_spectral::lanes::InstructionSet;
use eigensweep_spectral::leading::LeadingBatch;
use eigensweep_spectral::range::InverseRoot;
use eigensweep_spectral::scaled::{Room, ScaledBatch, Wanted, Way};
use eigensweep_spectral::semidefinite::{explained_power, explained_power_scratch};
use eigensweep_spectral::singular::SingularValues;
use eigensweep_spectral::symmetric::Eigensolver;
use eigensweep_testkit::allocator::{Counting, calls};
use eigensweep_testkit::random::Random;
use faer::{Accum, Mat};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn no_kernel_allocates_once_warm() {
    const WIDTH: usize = 10;
    for size in [2, 10, 60, 100, 150] {
        let definite = Random(1).semidefinite(size, 2 * size);
        let singular = Random(2).semidefinite(size, size / 2);
        let right = Random(3).normals(size, WIDTH);
        let isa = InstructionSet::detect();
        let mut leading = LeadingBatch::new(isa, size, size);
        let wanted = Wanted { ridge: true, projected: true, pencil: true, vectors: true };
        let room = Room { size, smallest: size, width: WIDTH, count: size };
        let mut scaled = ScaledBatch::new(isa, room, 2, wanted);
        let mut banded = ScaledBatch::in_way(Some(Way::Band), isa, room, 2, wanted);
        let sigma: Vec<f64> = (0..size).map(|i| 1.0 + i as f64).collect();
        let (mut matrix, mut rhs) = (definite.clone(), right.clone());
        let (mut values, mut left, mut other) =
            (vec![0.0; size], Mat::zeros(size, size), Mat::zeros(size, size));
        let (mut solver, mut range) = (Eigensolver::new(isa, size), InverseRoot::new(isa, size));
        let mut svd = SingularValues::new(isa, size);
        let mut memory = workspace(explained_power_scratch(size));
        for warm in [false, true] {
            let counts = [
                (
                    "cholesky",
                    calls(|| {
                        matrix.copy_from(&definite);
                        rhs.copy_from(&right);
                        factor_in_place(isa, matrix.as_mut()).unwrap();
                        solve_in_place(isa, matrix.as_ref(), rhs.as_mut());
                    }),
                ),
                (
                    "cholesky that fails",
                    calls(|| {
                        matrix.copy_from(&singular);
                        assert!(factor_in_place(isa, matrix.as_mut()).is_err());
                    }),
                ),
                (
                    "leading",
                    calls(|| {
                        leading.start(size);
                        leading.push(definite.as_ref());
                        leading.push(singular.as_ref());
                        leading.solve(size);
                        leading.values(0).unwrap();
                        leading.vectors(1, other.as_mut());
                    }),
                ),
                (
                    "scaled",
                    calls(|| {
                        scaled.start(size, WIDTH);
                        scaled.push(0, &sigma);
                        scaled.push(1, &sigma);
                        let sources = [&definite, &singular];
                        scaled.solve(&[size, 1], |n| (sources[n].as_ref(), right.as_ref()));
                        scaled.projected(0).unwrap();
                        scaled.pencil(0).unwrap();
                    }),
                ),
                (
                    "by way of a band",
                    calls(|| {
                        banded.start(size, WIDTH);
                        let fits = banded.capacity().min(2);
                        (0..fits).for_each(|n| _ = banded.push(n, &sigma));
                        let sources = [&definite, &singular];
                        banded.solve(&[size, 1], |n| (sources[n].as_ref(), right.as_ref()));
                        banded.projected(0).unwrap();
                        banded.pencil(0).unwrap();
                    }),
                ),
                (
                    "dense",
                    calls(|| {
                        matrix.copy_from(&definite);
                        rhs.copy_from(&right);
                        dense::product(
                            isa,
                            left.as_mut(),
                            Accum::Replace,
                            definite.as_ref(),
                            singular.as_ref(),
                        );
                        dense::gram_lower(isa, other.as_mut(), Accum::Add, definite.as_ref());
                        dense::factor_in_place(isa, matrix.as_mut()).unwrap();
                        dense::solve_lower_in_place(isa, matrix.as_ref(), rhs.as_mut());
                        let most = size;
                        dense::factor_pivoted(
                            isa,
                            singular.as_ref(),
                            1e-12,
                            most,
                            left.as_mut(),
                            &mut values,
                        )
                        .unwrap();
                    }),
                ),
                (
                    "symmetric",
                    calls(|| {
                        matrix.copy_from(&definite);
                        solver.solve(matrix.as_ref(), &mut values, left.as_mut()).unwrap();
                    }),
                ),
                (
                    "root on the range",
                    calls(|| {
                        let (vectors, root) = (left.as_mut(), other.as_mut());
                        let root = range.of(&mut solver, singular.as_ref(), 0.0, vectors, root);
                        assert_eq!(root, Ok(size / 2));
                    }),
                ),
                (
                    "singular",
                    calls(|| {
                        matrix.copy_from(&definite);
                        let (left, right) = (left.as_mut(), other.as_mut());
                        svd.of(&mut solver, matrix.as_ref(), &mut values, left, right).unwrap();
                    }),
                ),
                (
                    "definite form",
                    calls(|| {
                        matrix.copy_from(&definite);
                        rhs.copy_from(&right);
                        let stack = MemStack::new(&mut memory);
                        assert!(explained_power(isa, matrix.as_mut(), rhs.as_mut(), 0.0, stack).is_finite());
                    }),
                ),
                (
                    "singular form",
                    calls(|| {
                        matrix.copy_from(&singular);
                        rhs.copy_from(&right);
                        let stack = MemStack::new(&mut memory);
                        assert!(explained_power(isa, matrix.as_mut(), rhs.as_mut(), 0.0, stack).is_finite());
                    }),
                ),
            ];
            if warm {
                for (kernel, count) in counts {
                    assert!(count == 0, "{kernel} at d = {size}: {count} allocations");
                }
            }
        }
    }
}
