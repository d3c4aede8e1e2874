//! A column: one value, or one short row of values, for every atom (tags, magnetic moments,
//! Wyckoff letters). Science carries columns along; only their reader and writer look inside.

/// Values of one kind for all atoms, row after row.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Whole numbers.
    Int(Vec<i64>),
    /// Real numbers.
    Real(Vec<f64>),
    /// Yes or no.
    Bool(Vec<bool>),
    /// Words.
    Text(Vec<String>),
}

impl Values {
    /// The number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::Int(values) => values.len(),
            Self::Real(values) => values.len(),
            Self::Bool(values) => values.len(),
            Self::Text(values) => values.len(),
        }
    }

    /// All values in their order, over and over.
    pub fn repeated(&self, times: usize) -> Self {
        match self {
            Self::Int(values) => Self::Int(values.repeat(times)),
            Self::Real(values) => Self::Real(values.repeat(times)),
            Self::Bool(values) => Self::Bool(values.repeat(times)),
            Self::Text(values) => Self::Text(vec![values.as_slice(); times].concat()),
        }
    }

    /// These values and then the others, if they are of one kind.
    pub fn followed_by(self, others: Self) -> Option<Self> {
        Some(match (self, others) {
            (Self::Int(a), Self::Int(b)) => Self::Int([a, b].concat()),
            (Self::Real(a), Self::Real(b)) => Self::Real([a, b].concat()),
            (Self::Bool(a), Self::Bool(b)) => Self::Bool([a, b].concat()),
            (Self::Text(a), Self::Text(b)) => Self::Text([a, b].concat()),
            _ => return None,
        })
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One column of per-atom data.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Values per atom; `None` for a flat column (one value, shape `[N]`), else shape `[N, width]`.
    pub width: Option<usize>,
    /// `N * width` values.
    pub values: Values,
}

impl Column {
    /// A flat column, one value for each atom.
    pub fn flat(values: Values) -> Self {
        Self { width: None, values }
    }

    /// Values for `count` atoms that a column like this one has where nothing is known: 0, no, the empty word.
    pub fn zeros(&self, count: usize) -> Values {
        let count = count * self.width.unwrap_or(1);
        match self.values {
            Values::Int(_) => Values::Int(vec![0; count]),
            Values::Real(_) => Values::Real(vec![0.0; count]),
            Values::Bool(_) => Values::Bool(vec![false; count]),
            Values::Text(_) => Values::Text(vec![String::new(); count]),
        }
    }

    /// The number of atoms it describes, if the values divide into rows.
    pub fn rows(&self) -> Option<usize> {
        match self.width {
            None => Some(self.values.len()),
            Some(0) => None,
            Some(width) => self.values.len().is_multiple_of(width).then(|| self.values.len() / width),
        }
    }
}
