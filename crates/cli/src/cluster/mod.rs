//! What a batch system tells its jobs: which element of an array this is, the processors granted,
//! the time left; and SLURM's commands, to submit, requeue and ask.
//!
//! | file | about |
//! |---|---|
//! | `array` | array variables of SLURM, Kubernetes, PBS, Torque, LSF and Grid Engine → a shard |
//! | `time` | times as they are typed and as SLURM writes them; the time left |
//! | `slurm` | calls of `sbatch`, `scontrol`, `scancel` |
//! | `states` | how jobs stand: `sacct`, else `squeue` |
//! | `script` | the batch scripts of `submit` |
//! | `submitted` | which jobs were submitted for a data set |

mod array;
mod script;
mod slurm;
mod states;
mod submitted;
mod time;

pub(crate) use array::{ArrayError, shard};
pub(crate) use script::{Resources, Script, quote};
pub(crate) use slurm::{SlurmError, cancel, look_for_sbatch, max_array_size, own_job, requeue, submit};
pub(crate) use states::{JobState, job_states};
pub(crate) use submitted::{RecordError, Submission, SubmittedArray, read_submissions, record_submission};
pub(crate) use time::{TimeError, TimeLeft, duration, slurm_time, time_left, time_left_now};
