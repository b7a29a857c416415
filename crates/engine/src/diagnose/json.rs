//! The answer for programs.

use eigensweep_diagnose::{
    Best, Change, Compared, DecidedBy, Diagnosis, DimensionFrom, Estimate, Finding, Limit, Model, PARADIGMS,
};
use serde_json::{Map, Value, json};

use super::Found;

impl Found {
    /// The answer as a JSON object: what `--json` prints, and `to_dict()` in Python.
    ///
    /// `kept`, `leakage` and `answer` are of the views as given; `alignment` is the best of each
    /// paradigm. Bounds are null where there is no interval. Beside these there is all that the
    /// page shows.
    #[must_use]
    pub fn json(&self) -> Value {
        let Diagnosis {
            answer,
            decided_by,
            items,
            rows,
            features,
            dimension,
            dimension_from,
            alignment_used,
            kept,
            leakage,
            probe,
            by_dimension,
            by_alignment,
            best,
            findings,
            changes,
            warnings,
            model,
            learnt: _,
        } = &self.diagnosis;
        let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        let by_dimension = by_dimension.iter().map(|at| {
            json!({
                "dimension": at.dimension, "answer": at.answer.name(), "kept": compared(&at.kept),
                "leakage": compared(&at.leakage),
            })
        });
        let by_alignment = by_alignment.iter().map(|at| {
            json!({
                "alignment": at.alignment, "answer": at.answer.name(), "kept": compared(&at.kept),
                "leakage": compared(&at.leakage), "plug_in_kept": each(&at.plug_in_kept, number),
                "plug_in_leakage": each(&at.plug_in_leakage, number),
            })
        });
        let findings = findings.iter().map(|finding| match finding {
            Finding::TuneAlignment { gain, between } => {
                json!({ "finding": "tune-alignment", "gain": gain, "between": between })
            }
            Finding::Labels { better, less } => {
                json!({ "finding": "labels", "better": better.name(), "less": estimate(less) })
            }
        });
        let changes = changes.iter().map(|change| match change {
            Change::Dimension { dimension, answer } => {
                json!({ "dimension": dimension, "answer": answer.name() })
            }
            Change::Alignment { alignment, answer } => {
                json!({ "alignment": alignment, "answer": answer.name() })
            }
            Change::Items { items, answer } => json!({ "items": items, "answer": answer.name() }),
            Change::Interval { items } => json!({ "items": items }),
        });
        json!({
            "answer": answer.name(),
            "decided_by": match decided_by {
                DecidedBy::Kept => "kept",
                DecidedBy::Labels => "labels",
                DecidedBy::Count => "count",
                DecidedBy::Subspaces => "subspaces",
            },
            "dimension": dimension,
            "dimension_from": match dimension_from {
                DimensionFrom::Given => Value::from("given"),
                DimensionFrom::Permutation { values, bound } => {
                    json!({ "permutation": { "values": values, "bound": bound } })
                }
            },
            "alignment_used": alignment_used,
            "kept": compared(kept),
            "leakage": compared(leakage),
            "alignment": match best {
                Some(best) => each(best, |best| best.alignment.into()),
                None => each(&[(), ()], |()| Value::Null),
            },
            "best": best.as_ref().map(|best| each(best, of_best)),
            "pairs": items,
            "items": self.of,
            "rows": rows,
            "features": features,
            "views": self.views,
            "probe": probe.as_ref().map(|probe| {
                json!({ "loss": compared(&probe.loss), "accuracy": probe.accuracy.as_ref().map(compared) })
            }),
            "by_dimension": by_dimension.collect::<Vec<_>>(),
            "by_alignment": by_alignment.collect::<Vec<_>>(),
            "findings": findings.collect::<Vec<_>>(),
            "changes": changes.collect::<Vec<_>>(),
            "model": model.as_ref().map(of_model),
            "headline": self.headline(),
            "warnings": warnings,
        })
    }
}

/// An object with an entry for each paradigm.
fn each<T>(of: &[T; 2], value: impl Fn(&T) -> Value) -> Value {
    let entries = PARADIGMS.iter().zip(of).map(|(paradigm, of)| (paradigm.name.to_owned(), value(of)));
    Value::Object(entries.collect::<Map<_, _>>())
}

fn number(value: &f64) -> Value {
    (*value).into()
}

fn estimate(estimate: &Estimate) -> Value {
    json!({ "value": estimate.value, "low": estimate.low(), "high": estimate.high() })
}

fn compared(compared: &Compared) -> Value {
    let mut object = each(&compared.each, estimate);
    object["difference"] = estimate(&compared.difference);
    object
}

fn of_best(best: &Best) -> Value {
    json!({
        "alignment": best.alignment, "range": best.range, "kept": estimate(&best.kept),
        "gain": estimate(&best.gain),
    })
}

fn of_model(model: &Model) -> Value {
    let Model { signal, noise, views, least_leakage, limits } = model;
    let limit = |limit: &Limit| match limit {
        Limit::Always => "always".into(),
        Limit::From(alignment) => Value::from(*alignment),
        Limit::Never => "never".into(),
    };
    json!({
        "signal": signal, "noise": noise, "views": views, "least_leakage": least_leakage,
        "limits": each(limits, limit),
    })
}
