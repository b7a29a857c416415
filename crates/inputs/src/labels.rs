//! Labels of samples: classes, from class numbers, or from whole numbers or words that stand for
//! classes; or real targets.

use faer::Mat;

use crate::InputError;

/// The most classes that numbers are taken for: the largest ℓ of a problem. More distinct numbers
/// are rather measurements or identifiers, and one-hot labels of them would not fit memory.
pub const MAX_CLASSES: usize = 8192;

/// The class of each sample, counted from 0.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassLabels {
    classes: Vec<u16>,
    /// What each class was called, if by a number; else its place.
    values: Vec<f64>,
    /// What each class was called, if by a word.
    words: Vec<String>,
}

/// What is to be learned about each sample.
#[derive(Debug, Clone, PartialEq)]
pub enum Labels {
    /// A class each.
    Classes(ClassLabels),
    /// Real numbers Y (n × ℓ), all finite.
    Targets(Mat<f64>),
}

impl Labels {
    /// n, the number of samples.
    #[must_use]
    pub fn samples(&self) -> usize {
        match self {
            Self::Classes(labels) => labels.classes().len(),
            Self::Targets(targets) => targets.nrows(),
        }
    }

    /// ℓ, the number of classes or of targets.
    #[must_use]
    pub fn count(&self) -> usize {
        match self {
            Self::Classes(labels) => labels.count(),
            Self::Targets(targets) => targets.ncols(),
        }
    }
}

impl ClassLabels {
    /// Takes one class a sample; the number of classes is the largest plus one, whether or not all
    /// of them occur.
    ///
    /// # Errors
    ///
    /// [`InputError::Dimension`] if there are none.
    pub fn new(classes: Vec<u16>) -> Result<Self, InputError> {
        let Some(&largest) = classes.iter().max() else {
            return Err(InputError::Dimension { what: "class labels", expected: 1, found: 0 });
        };
        Ok(Self { classes, values: (0..=largest).map(f64::from).collect(), words: Vec::new() })
    }

    /// Takes whole numbers, of which the distinct ones, ascending, are the classes; `None` if one
    /// is not whole.
    ///
    /// They may be negative, large, and with gaps: −1 and 1 are two classes.
    ///
    /// ```
    /// use eigensweep_inputs::ClassLabels;
    ///
    /// let labels = ClassLabels::from_whole_numbers(&[7.0, -1.0, 7.0])?.ok_or("not whole")?;
    /// assert_eq!(labels.classes(), [1, 0, 1]);
    /// assert_eq!(labels.values(), [-1.0, 7.0]);
    /// assert!(ClassLabels::from_whole_numbers(&[7.0, 0.5])?.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// * [`InputError::Dimension`] if there are no numbers.
    /// * [`InputError::TooManyClasses`] if more than [`MAX_CLASSES`] are distinct.
    pub fn from_whole_numbers(numbers: &[f64]) -> Result<Option<Self>, InputError> {
        if numbers.is_empty() {
            return Err(InputError::Dimension { what: "class labels", expected: 1, found: 0 });
        }
        // A fraction is neither; nor is what is not finite, whose fraction is no number.
        if numbers.iter().any(|number| number.fract().abs() > 0.0 || !number.is_finite()) {
            return Ok(None);
        }
        // Adding zero makes one zero of the two.
        let mut values: Vec<f64> = numbers.iter().map(|number| number + 0.0).collect();
        values.sort_unstable_by(f64::total_cmp);
        values.dedup();
        if values.len() > MAX_CLASSES {
            return Err(InputError::TooManyClasses { classes: values.len(), max: MAX_CLASSES });
        }
        let class = |number: &f64| values.partition_point(|value| value < number);
        // Cannot saturate: there are at most `MAX_CLASSES` of them.
        let classes = numbers.iter().map(|number| u16::try_from(class(number)).unwrap_or(u16::MAX)).collect();
        Ok(Some(Self { classes, values, words: Vec::new() }))
    }

    /// Takes words, of which the distinct ones, in alphabetical order, are the classes.
    ///
    /// ```
    /// use eigensweep_inputs::ClassLabels;
    ///
    /// let labels = ClassLabels::from_words(&["B cell".into(), "T cell".into(), "B cell".into()])?;
    /// assert_eq!(labels.classes(), [0, 1, 0]);
    /// assert_eq!(labels.name(1), "T cell");
    /// # Ok::<(), eigensweep_inputs::InputError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// * [`InputError::Dimension`] if there are no words.
    /// * [`InputError::TooManyClasses`] if more than [`MAX_CLASSES`] are distinct.
    pub fn from_words(labels: &[String]) -> Result<Self, InputError> {
        if labels.is_empty() {
            return Err(InputError::Dimension { what: "class labels", expected: 1, found: 0 });
        }
        let mut words: Vec<&String> = labels.iter().collect();
        words.sort_unstable();
        words.dedup();
        if words.len() > MAX_CLASSES {
            return Err(InputError::TooManyClasses { classes: words.len(), max: MAX_CLASSES });
        }
        let class = |label: &String| words.partition_point(|word| *word < label);
        let classes = labels.iter().map(|label| u16::try_from(class(label)).unwrap_or(u16::MAX)).collect();
        let values = (0_u16..).take(words.len()).map(f64::from).collect();
        Ok(Self { classes, values, words: words.into_iter().cloned().collect() })
    }

    /// The words that stood for the classes, if words did.
    #[must_use]
    pub fn words(&self) -> Option<&[String]> {
        (!self.words.is_empty()).then_some(&self.words)
    }

    /// What a class was called.
    ///
    /// # Panics
    ///
    /// If there is no such class.
    #[must_use]
    pub fn name(&self, class: usize) -> String {
        self.words.get(class).map_or_else(|| self.values[class].to_string(), String::clone)
    }

    /// The classes, one a sample, each below [`count`](Self::count).
    #[must_use]
    pub fn classes(&self) -> &[u16] {
        &self.classes
    }

    /// Number ℓ of classes, at least 1.
    #[must_use]
    pub fn count(&self) -> usize {
        self.values.len()
    }

    /// The number that stood for each class, ascending.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// One-hot labels `Y`, samples × classes: 1 in the column of a sample's class.
    #[must_use]
    pub fn one_hot(&self) -> Mat<f64> {
        let mut labels = Mat::zeros(self.classes.len(), self.count());
        for (sample, &class) in self.classes.iter().enumerate() {
            labels[(sample, usize::from(class))] = 1.0;
        }
        labels
    }
}

#[cfg(test)]
mod tests {
    use super::{ClassLabels, MAX_CLASSES};
    use crate::InputError;

    #[test]
    fn distinct_whole_numbers_are_classes_in_ascending_order() {
        let labels = ClassLabels::from_whole_numbers(&[1e300, -3.0, 0.0, -0.0, -3.0]).unwrap().unwrap();
        assert_eq!(labels.classes(), [2, 0, 1, 1, 0]);
        assert_eq!(labels.values(), [-3.0, 0.0, 1e300]);
        let expected =
            faer::mat![[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]];
        assert_eq!(labels.one_hot(), expected);
    }

    #[test]
    fn numbers_that_are_not_whole_are_no_classes() {
        for numbers in [&[0.0, 0.5][..], &[f64::NAN], &[1.0, f64::INFINITY], &[-1e-300]] {
            assert_eq!(ClassLabels::from_whole_numbers(numbers).unwrap(), None, "{numbers:?}");
        }
    }

    #[test]
    fn more_distinct_numbers_than_classes_can_be_are_refused() {
        let numbers: Vec<f64> = (0..=MAX_CLASSES).map(|i| 3.0 * i as f64).collect();
        let most = ClassLabels::from_whole_numbers(&numbers[1..]).unwrap().unwrap();
        assert_eq!(most.count(), MAX_CLASSES);
        assert_eq!(usize::from(most.classes()[MAX_CLASSES - 1]), MAX_CLASSES - 1);
        let error = ClassLabels::from_whole_numbers(&numbers).unwrap_err();
        assert!(matches!(error, InputError::TooManyClasses { classes: 8193, max: 8192 }), "{error}");
    }

    #[test]
    fn no_labels_are_refused() {
        assert!(matches!(ClassLabels::new(Vec::new()), Err(InputError::Dimension { .. })));
        assert!(matches!(ClassLabels::from_whole_numbers(&[]), Err(InputError::Dimension { .. })));
    }
}
