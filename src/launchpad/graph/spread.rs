//! Places along a line, each as near as there is room to where it would be best.

/// What is put somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thing {
    /// Where its middle should be.
    pub wish: usize,
    /// How long it is.
    pub size: usize,
}

/// Where each begins, in the order given, with gaps between them. Those of one wish go to both sides of it.
pub fn spread(things: &[Thing], gap: usize, room: usize) -> Vec<usize> {
    let mut begins = Vec::with_capacity(things.len());
    let mut free = 0;
    for alike in things.chunk_by(|one, other| one.wish == other.wish) {
        let size = alike.iter().map(|one| one.size).sum::<usize>() + gap * (alike.len() - 1);
        free = alike[0].wish.saturating_sub(size / 2).max(free);
        for one in alike {
            begins.push(free);
            free += one.size + gap;
        }
    }
    // What has gone beyond the end comes back.
    let mut end = room;
    for (begin, one) in begins.iter_mut().zip(things).rev() {
        *begin = (*begin).min(end.saturating_sub(one.size));
        end = begin.saturating_sub(gap);
    }
    begins
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(wishes: &[usize], room: usize) -> Vec<usize> {
        spread(&wishes.iter().map(|&wish| Thing { wish, size: 1 }).collect::<Vec<_>>(), 0, room)
    }

    #[test]
    fn those_of_one_wish_are_around_it() {
        assert_eq!(of(&[4, 4, 4], 9), [3, 4, 5]);
        assert_eq!(of(&[1, 4], 9), [1, 4]);
    }

    #[test]
    fn all_stay_inside() {
        assert_eq!(of(&[0, 0, 0], 9), [0, 1, 2]);
        assert_eq!(of(&[8, 8, 8], 9), [6, 7, 8]);
    }
}
