//! Lines are followed as a reader follows them: they must lead to all children, and to no others.

use proptest::prelude::*;

use super::*;

fn of(pairs: &[(usize, usize)]) -> Option<Vec<String>> {
    lines(pairs).map(|lines| lines.rows())
}

fn lines(pairs: &[(usize, usize)]) -> Option<Lines> {
    Lines::between(&pairs.iter().map(|&(from, to)| Edge { from, to }).collect::<Vec<_>>(), 1000)
}

#[test]
fn lines_fork_and_join() {
    assert_eq!(of(&[(2, 2)]), Some(vec!["  │".to_owned()]));
    assert_eq!(of(&[(2, 0), (2, 4)]), Some(vec!["┌─┴─┐".to_owned()]));
    assert_eq!(of(&[(0, 2), (4, 2)]), Some(vec!["└─┬─┘".to_owned()]));
    assert_eq!(of(&[(0, 0), (4, 4)]), Some(vec!["│   │".to_owned()]));
}

#[test]
fn lines_that_cross_have_rows_of_their_own() {
    assert_eq!(of(&[(1, 5), (3, 7)]), Some(vec![" └─│─┐".to_owned(), "   └─│─┐".to_owned()]));
}

#[test]
fn lines_that_would_lie_on_each_other_are_not_drawn() {
    assert_eq!(of(&[(0, 4), (4, 0)]), None);
}

#[test]
fn a_child_of_two_forks_is_reached_by_a_line_of_its_own() {
    let expected = ["┌─┴─┐", "│   └─│─┐", "│   ┌─┘ │"];
    let rows = of(&[(2, 0), (2, 4), (6, 4), (6, 8)]).expect("can be drawn");
    assert_ne!(rows, expected, "2 would lead to 8");
    assert_eq!(followed(&rows, &[2, 6]), BTreeSet::from([(2, 0), (2, 4), (6, 4), (6, 8)]), "{}", rows.join("\n"));
}

#[test]
fn layers_may_be_columns() {
    let rows = lines(&[(0, 0), (0, 2)]).map(|lines| lines.columns());
    let expected = [(0, "┬"), (1, "│"), (2, "└")].map(|(row, text)| (row, text.to_owned()));
    assert_eq!(rows, Some(BTreeMap::from(expected)));
}

/// Where the lines lead from columns above, followed as they are drawn: down and to the sides, never up.
fn followed(rows: &[String], parents: &[usize]) -> BTreeSet<(usize, usize)> {
    let grid: Vec<Vec<char>> = rows.iter().map(|row| row.chars().collect()).collect();
    let bits = |row: usize, column: usize| grid[row].get(column).copied().map_or(0, leaves);
    let mut found = BTreeSet::new();
    for &parent in parents {
        let mut seen = BTreeSet::new();
        let mut open = vec![(0, parent, DOWN)];
        while let Some((row, column, going)) = open.pop() {
            if row == rows.len() {
                found.insert((parent, column));
                continue;
            }
            if !seen.insert((row, column, going)) {
                continue;
            }
            let here = bits(row, column);
            let comes_from = match going {
                DOWN => UP,
                LEFT => RIGHT,
                _ => LEFT,
            };
            // Under an upright line the other one goes on.
            if here & comes_from == 0 {
                assert!(
                    here == UP | DOWN && going != DOWN,
                    "the line from {parent} ends at {row} {column} in\n{}",
                    rows.join("\n")
                );
                open.push(if going == LEFT { (row, column - 1, LEFT) } else { (row, column + 1, RIGHT) });
                continue;
            }
            for (out, next) in [
                (DOWN, Some((row + 1, column))),
                (LEFT, column.checked_sub(1).map(|column| (row, column))),
                (RIGHT, Some((row, column + 1))),
            ] {
                if here & out != 0 && out != comes_from {
                    let (row, column) = next.expect("a line leaves the picture");
                    open.push((row, column, out));
                }
            }
        }
    }
    found
}

fn leaves(character: char) -> u8 {
    (1..16).rev().find(|&bits| self::character(bits) == character).unwrap_or(0)
}

proptest! {
    #[test]
    fn lines_lead_from_parents_to_children(pairs in prop::collection::btree_set((0_usize..9, 0_usize..9), 1..24)) {
        let pairs: Vec<(usize, usize)> = pairs.into_iter().collect();
        let parents: BTreeSet<usize> = pairs.iter().map(|(from, _)| *from).collect();
        let parents: Vec<usize> = parents.into_iter().collect();
        if let Some(rows) = of(&pairs) {
            prop_assert_eq!(followed(&rows, &parents), pairs.into_iter().collect(), "{}", rows.join("\n"));
        }
    }

    #[test]
    fn forks_and_joins_are_always_drawn(ends in prop::collection::vec(0_usize..9, 1..9)) {
        for is_fork in [true, false] {
            let pair = |(one, &other): (usize, &usize)| if is_fork { (2 * other, 2 * one + 1) } else { (2 * one, 2 * other + 1) };
            let pairs: Vec<(usize, usize)> = ends.iter().enumerate().map(pair).collect();
            let parents: Vec<usize> = pairs.iter().map(|(from, _)| *from).collect();
            let rows = of(&pairs).expect("can be drawn");
            prop_assert_eq!(followed(&rows, &parents), pairs.into_iter().collect(), "{}", rows.join("\n"));
        }
    }
}
