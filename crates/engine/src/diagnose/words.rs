//! The answer in plain English: the same sentences on a terminal, in the page and in Python.

use eigensweep_diagnose::{
    Answer, Change, Compared, DecidedBy, Diagnosis, DimensionFrom, Estimate, Finding, PARADIGMS,
};
use eigensweep_store::format::{coordinate, count, counted, digits};

use super::{Found, Seen};

/// Most stages that are named.
const NAMED: usize = 6;

/// A share as per cent: `43.2 %`.
#[must_use]
pub fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// An estimate with half the width of its interval: `0.432 ± 0.020`.
#[must_use]
pub fn interval(estimate: &Estimate) -> String {
    let value = signed(estimate.value);
    match estimate.half {
        Some(half) => format!("{value} ± {half:.3}"),
        None => value,
    }
}

fn signed(value: f64) -> String {
    let text = format!("{value:.3}");
    match text.strip_prefix('-') {
        // What is less than the digits that are shown has no sign.
        Some("0.000") => "0.000".to_owned(),
        Some(rest) => format!("−{rest}"),
        None => text,
    }
}

/// Kept: below 0 it says so in words.
fn kept(estimate: &Estimate) -> String {
    if estimate.value < 0.0 { "< 0: worse than nothing".to_owned() } else { interval(estimate) }
}

/// A difference with its sign: `+0.054 ± 0.011`.
#[must_use]
pub fn difference(estimate: &Estimate) -> String {
    let text = interval(estimate);
    let bare = text.starts_with('−') || text.starts_with("0.000");
    if bare { text } else { format!("+{text}") }
}

/// The views in words.
pub(super) fn views(views: &Seen<'_>) -> String {
    match views {
        Seen::Noise => {
            "the noise's own: Σ = α²Γ̂, and white noise of a hundredth of the mean variance".to_owned()
        }
        Seen::Covariance(_) => "additive, of the covariance given".to_owned(),
        Seen::Draws(_) => "drawn by a function".to_owned(),
        Seen::Stages(file) if file.stages.is_empty() => "the rows as they are".to_owned(),
        Seen::Stages(file) => {
            let names: Vec<&str> = file.stages.iter().map(|stage| stage.name.as_str()).collect();
            let rest = if names.len() > NAMED { ", …" } else { "" };
            format!("{}{rest}", names[..names.len().min(NAMED)].join(", "))
        }
    }
}

/// The paradigm of which a difference, joint-embedding less reconstruction, has more.
fn more(compared: &Compared) -> [&'static str; 2] {
    let first = usize::from(compared.difference.value < 0.0);
    [PARADIGMS[first].name, PARADIGMS[1 - first].name]
}

impl Found {
    /// What kept is a share of.
    fn signal(&self) -> String {
        match self.components {
            Some(components) if components < self.inputs => {
                format!("the clean signal of {}", counted(components as u64, "component"))
            }
            Some(_) | None => "the clean signal".to_owned(),
        }
    }

    /// The answer in one line.
    #[must_use]
    pub fn headline(&self) -> String {
        let Diagnosis { answer, kept: of_kept, leakage, decided_by, items, .. } = &self.diagnosis;
        let shares = |at: usize| {
            let value = of_kept.each[at].value;
            if value < 0.0 { "less than nothing".to_owned() } else { percent(value) }
        };
        let keeps = |at: usize| {
            let other = 1 - at;
            let by = match decided_by {
                DecidedBy::Labels => " (decided by the labels)",
                DecidedBy::Kept | DecidedBy::Count | DecidedBy::Subspaces => "",
            };
            format!(
                "it keeps {} of {}, {} {}{by}",
                shares(at),
                self.signal(),
                PARADIGMS[other].name,
                shares(other)
            )
        };
        let said = match answer {
            Answer::JointEmbedding => keeps(0),
            Answer::Reconstruction => keeps(1),
            Answer::Identical => "both paradigms learn the same subspace from these views".to_owned(),
            Answer::TooClose => format!(
                "the share of {} that is kept differs by {} only",
                self.signal(),
                difference(&of_kept.difference)
            ),
            Answer::ItDepends => {
                let [richer, purer] = more(of_kept);
                format!("{richer} keeps more of the signal (richer), {purer} holds less noise (purer)")
            }
            Answer::NotEnoughData if *decided_by == DecidedBy::Count => {
                format!("{} {} are too few to tell", count(*items as u128), self.of)
            }
            Answer::NotEnoughData => format!(
                "the difference in what is kept, {}, may be either way or small (leakage: {})",
                difference(&of_kept.difference),
                difference(&leakage.difference)
            ),
        };
        format!("{}: {said}", answer.name())
    }

    /// What the answer is about: k, α, how many items, of how many features.
    #[must_use]
    pub fn setting(&self) -> String {
        let Diagnosis { dimension, dimension_from, alignment_used, items, rows, features, .. } =
            &self.diagnosis;
        let from = match dimension_from {
            DimensionFrom::Given => "",
            DimensionFrom::Permutation { .. } => " (found by permutation)",
        };
        let items = match self.of {
            "pairs" => format!("{} pairs", count(*items as u128)),
            of => format!("{} {of} of {} rows", count(*items as u128), count(*rows as u128)),
        };
        let features = match self.components {
            Some(components) if components == *features => counted(*features as u64, "principal component"),
            Some(_) | None => counted(*features as u64, "feature"),
        };
        format!(
            "k = {dimension}{from}, α = {}, {items}, {features}; views: {}",
            coordinate(*alignment_used),
            self.views
        )
    }

    /// Rows of a table: what is compared, joint-embedding, reconstruction, the difference.
    #[must_use]
    pub fn numbers(&self) -> Vec<[String; 4]> {
        let Diagnosis { kept: of_kept, leakage, probe, .. } = &self.diagnosis;
        let row = |name: &str, compared: &Compared, of: fn(&Estimate) -> String| {
            let [first, second] = compared.each.each_ref().map(of);
            [name.to_owned(), first, second, difference(&compared.difference)]
        };
        let mut rows = vec![row("kept at your n", of_kept, kept), row("leakage", leakage, interval)];
        if let Some(probe) = probe {
            rows.extend(probe.accuracy.as_ref().map(|accuracy| row("probe accuracy", accuracy, interval)));
            rows.push(row("probe loss", &probe.loss, interval));
        }
        rows
    }

    /// The best alignment of each paradigm, a sentence each.
    #[must_use]
    pub fn alignments(&self) -> Vec<String> {
        let Some(best) = &self.diagnosis.best else {
            return self
                .fixed_alignment
                .map(|why| format!("Other alignments were not tried: {why}."))
                .into_iter()
                .collect();
        };
        best.iter()
            .zip(PARADIGMS)
            .map(|(best, paradigm)| {
                let [low, high] = best.range.map(coordinate);
                let range =
                    if low == high { String::new() } else { format!(" ({low} to {high} are as good)") };
                format!(
                    "{} is best at α = {}{range}: it then keeps {} ({} against α = {}).",
                    capital(paradigm.name),
                    coordinate(best.alignment),
                    kept(&best.kept),
                    difference(&best.gain),
                    coordinate(self.diagnosis.alignment_used)
                )
            })
            .collect()
    }

    /// What else is worth knowing, a sentence each.
    #[must_use]
    pub fn findings(&self) -> Vec<String> {
        let said = |finding: &Finding| match finding {
            Finding::TuneAlignment { gain, between } => format!(
                "Tuning α matters more than the paradigm: either gains {} or more of the signal from its best α, and at \
                 these the two are {} apart.",
                percent(*gain),
                percent(*between)
            ),
            Finding::Labels { better, less } => format!(
                "The labels are predicted better with {}: the held-out loss of their probe is lower by {}. Kept is about all \
                 of the signal, and labels may rest on a part of it.",
                better.name(),
                interval(less)
            ),
        };
        self.diagnosis.findings.iter().map(said).collect()
    }

    /// What would change the answer, a sentence each.
    #[must_use]
    pub fn changes(&self) -> Vec<String> {
        let said = |change: &Change| match change {
            Change::Dimension { dimension, answer } => {
                format!("With k = {dimension} the answer is {}.", answer.name())
            }
            Change::Alignment { alignment, answer } => {
                format!("With α = {} the answer is {}.", coordinate(*alignment), answer.name())
            }
            Change::Items { items, answer } => format!(
                "If the difference stays what it is, about {} {} would tell: {}.",
                count(*items as u128),
                self.of,
                answer.name()
            ),
            Change::Interval { items } => {
                format!(
                    "An interval, and with it an answer, needs at least {} {}.",
                    count(*items as u128),
                    self.of
                )
            }
        };
        self.diagnosis.changes.iter().map(said).collect()
    }

    /// The answer for a newcomer, a paragraph each.
    #[must_use]
    pub fn paragraphs(&self) -> Vec<String> {
        let Diagnosis { answer, kept: of_kept, leakage, dimension, .. } = &self.diagnosis;
        let [richer, poorer] = more(of_kept);
        let [je, rc] = of_kept.each.map(|estimate| estimate.value.max(0.0));
        let (largest, smallest) = if of_kept.difference.value < 0.0 { (rc, je) } else { (je, rc) };
        let two = match self.of {
            _ if self.corrupted => {
                "Each row was corrupted twice. What the two have in common is its signal; what differs between them is \
                 noise."
            }
            "batches" => {
                "Rows of different batches differ by what the batch does to them: that is called noise here, and what \
                          differs within a batch is the signal."
            }
            _ => {
                "Each thing was measured at least twice. What two measurements of one thing share is its signal; what \
                  differs between them is noise."
            }
        };
        let how = format!(
            "{two} Both paradigms learned a linear representation of {numbers} from nine tenths of the {of}, and were \
             tried on the tenth that they had not seen, for each tenth in turn, three times over. Kept says how much of {signal} the representation \
             predicts; leakage, how much of the representation is noise.",
            numbers = counted(*dimension as u64, "number"),
            of = self.of,
            signal = self.signal()
        );
        let verdict = match answer {
            Answer::JointEmbedding | Answer::Reconstruction => format!(
                "Take {richer}. On {of} that it has not seen it keeps {} of {signal}, where {poorer} keeps {}. The \
                 difference is larger than chance explains.",
                percent(largest),
                percent(smallest),
                of = self.of,
                signal = self.signal()
            ),
            Answer::Identical => "It does not matter: with these views both paradigms find the same directions. That is so where \
                                  the views are noise of equal strength in every direction, which tells none from another."
                .to_owned(),
            Answer::TooClose => "It hardly matters: what the two keep differs by less than 5 % of the signal. Choose by \
                                 convenience, and tune the alignment of the views first."
                .to_owned(),
            Answer::ItDepends => format!(
                "It depends on what the representation is for. {} keeps more of the signal, so take it where as much as possible \
                 is to be predicted; {poorer} has the smaller share of noise, so take it where what it holds must be reliable.",
                capital(richer)
            ),
            Answer::NotEnoughData => "These data do not tell. That is not the same as no difference: more measurements may well \
                                      show one."
                .to_owned(),
        };
        let is_tuning = |finding: &Finding| matches!(finding, Finding::TuneAlignment { .. });
        let tuning = if self.diagnosis.findings.iter().any(is_tuning) {
            " Before the choice of a paradigm comes the alignment α of the views with the noise: it is worth more here."
        } else {
            ""
        };
        let purity = format!(
            "Of the representation's own variance, {} is noise with joint-embedding and {} with reconstruction.{tuning}",
            percent(leakage.each[0].value),
            percent(leakage.each[1].value)
        );
        vec![how, verdict, purity]
    }

    /// Where k comes from, if it was found.
    #[must_use]
    pub fn dimension_found(&self) -> Option<String> {
        match &self.diagnosis.dimension_from {
            DimensionFrom::Given => None,
            DimensionFrom::Permutation { values, bound } => {
                let of = |at: usize| values.get(at).map_or_else(|| "–".to_owned(), |value| digits(*value, 3));
                let k = self.diagnosis.dimension;
                Some(format!(
                    "k = {k}: eigenvalue {k} of the whitened cross moment is {}, the next {}; permuted pairs stay below {}.",
                    of(k.saturating_sub(1)),
                    of(k),
                    digits(*bound, 3)
                ))
            }
        }
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
