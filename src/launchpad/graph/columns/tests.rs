//! The lines of columns are followed as a reader follows them: they must lead from parents to their children,
//! and from nobody to anybody else.

use proptest::prelude::*;

use super::super::tests::of;
use super::*;

fn laid(nodes: &[(FwId, &str)], edges: &[(FwId, FwId)]) -> (Graph, Columns) {
    let graph = of(nodes, edges);
    let columns = columns(&graph, &BTreeSet::new(), &|text| text.chars().count());
    (graph, columns)
}

/// The columns as characters; a place is its first firework.
fn text(columns: &Columns) -> String {
    let mut rows = vec![String::new(); columns.height];
    for column in &columns.columns {
        for (row, line) in rows.iter_mut().enumerate() {
            let place = column.places.iter().find(|place| place.row == row);
            *line += &match place.map(|place| place.members.as_slice()) {
                Some([]) => "──".to_owned(),
                Some(members) => format!("{:<2}", members[0]),
                None => "  ".to_owned(),
            };
            *line += column.lines.get(&row).map_or("", String::as_str);
            let width = column.lines.get(&row).map_or(0, |line| line.chars().count());
            *line += &" ".repeat(column.gutter - width);
        }
    }
    rows.iter().map(|row| row.trim_end().to_owned() + "\n").collect()
}

/// Where the lines behind a column lead from a row: rows of the next column. To the right, up and down.
fn followed(column: &Column, from: usize) -> BTreeSet<usize> {
    let at = |row: usize, place: usize| column.lines.get(&row).and_then(|line| line.chars().nth(place)).unwrap_or(' ');
    let leaves = |character: char| match character {
        '│' => "ud",
        '─' => "lr",
        '┌' => "dr",
        '┐' => "dl",
        '└' => "ur",
        '┘' => "ul",
        '┬' => "dlr",
        '┴' => "ulr",
        '├' => "udr",
        '┤' => "udl",
        '┼' => "udlr",
        _ => "",
    };
    let mut open = vec![(from, 0, 'r')];
    let mut seen = BTreeSet::new();
    let mut found = BTreeSet::new();
    while let Some((row, place, going)) = open.pop() {
        if place == column.gutter {
            found.insert(row);
            continue;
        }
        if !seen.insert((row, place, going)) {
            continue;
        }
        let here = leaves(at(row, place));
        let back = match going {
            'r' => 'l',
            'u' => 'd',
            _ => 'u',
        };
        if !here.contains(back) {
            // Nothing begins here, or another line goes over this one.
            assert!(going == 'r' && place == 0 || going != 'r' && here == "lr");
            open.extend((going == 'u').then(|| (row - 1, place, 'u')));
            open.extend((going == 'd').then_some((row + 1, place, 'd')));
            continue;
        }
        for out in here.chars().filter(|out| *out != back && *out != 'l') {
            open.push(match out {
                'r' => (row, place + 1, 'r'),
                'u' => (row - 1, place, 'u'),
                _ => (row + 1, place, 'd'),
            });
        }
    }
    found
}

/// All pairs of first members that lines lead between, over lines that pass.
fn pairs(columns: &Columns) -> BTreeSet<(FwId, FwId)> {
    let mut found = BTreeSet::new();
    for (start, column) in columns.columns.iter().enumerate() {
        for place in column.places.iter().filter(|place| !place.members.is_empty()) {
            let mut open = vec![(start, place.row)];
            while let Some((layer, row)) = open.pop() {
                for to in followed(&columns.columns[layer], row) {
                    let next = &columns.columns[layer + 1];
                    let end = next.places.iter().find(|place| place.row == to).expect("a line leads somewhere");
                    match end.members.first() {
                        Some(&child) => drop(found.insert((place.members[0], child))),
                        None => open.push((layer + 1, to)),
                    }
                }
            }
        }
    }
    found
}

#[test]
fn a_fan_goes_out_and_in() {
    let (_, columns) = laid(
        &[(1, "bulk"), (2, "slab"), (3, "slab"), (4, "slab"), (5, "collect")],
        &[(1, 2), (1, 3), (1, 4), (2, 5), (3, 5), (4, 5)],
    );
    assert_eq!(text(&columns), "  ┌2 ┐\n1 ┼3 ┼5\n  └4 ┘\n");
}

#[test]
fn lines_pass_a_layer_beside_its_fireworks() {
    let (_, columns) = laid(&[(1, "a"), (2, "b"), (3, "c")], &[(1, 2), (2, 3), (1, 3)]);
    assert!(columns.has_lines);
    assert_eq!(pairs(&columns), BTreeSet::from([(1, 2), (2, 3), (1, 3)]), "{}", text(&columns));
}

#[test]
fn a_circle_has_no_lines() {
    let (_, columns) = laid(&[(1, "a"), (2, "b"), (3, "c")], &[(1, 2), (2, 3), (3, 2)]);
    assert!(!columns.has_lines && columns.columns.iter().all(|column| column.lines.is_empty()));
}

#[test]
fn those_alike_are_one_until_they_are_opened() {
    let names: Vec<(FwId, String)> = (2..242).map(|id| (id, format!("relax {id}"))).collect();
    let mut nodes = vec![(1, "start")];
    nodes.extend(names.iter().map(|(id, name)| (*id, name.as_str())));
    let edges: Vec<(FwId, FwId)> = (2..242).map(|id| (1, id)).collect();
    let mut graph = of(&nodes, &edges);
    for (id, state) in [(7, State::Fizzled), (8, State::Running), (9, State::Running), (10, State::Running)] {
        graph.nodes.get_mut(&id).expect("a node").state = state;
    }
    let closed = columns(&graph, &BTreeSet::new(), &|text| text.chars().count());
    let sizes: Vec<usize> = closed.columns[1].places.iter().map(|place| place.members.len()).collect();
    // READY ones, the one that failed, those that run.
    assert_eq!(sizes, [236, 1, 3]);
    assert_eq!(closed.find(9), Some((1, 2)));
    let opened = columns(&graph, &(2..242).collect(), &|text| text.chars().count());
    assert_eq!((opened.height, opened.has_lines), (240, true));
}

#[test]
fn ten_thousand_are_laid_out() {
    let names: Vec<(FwId, String)> = (1..=10_000).map(|id| (id, format!("relax {id}"))).collect();
    let nodes: Vec<(FwId, &str)> = names.iter().map(|(id, name)| (*id, name.as_str())).collect();
    let edges: Vec<(FwId, FwId)> = (1..=5000).map(|id| (id, id + 5000)).collect();
    let graph = of(&nodes, &edges);
    let closed = columns(&graph, &BTreeSet::new(), &|text| text.chars().count());
    assert_eq!(closed.columns.iter().map(|column| column.places.len()).collect::<Vec<_>>(), [1, 1]);
    let opened = columns(&graph, &(1..=10_000).collect(), &|text| text.chars().count());
    assert_eq!((opened.height, opened.has_lines, opened.columns[0].gutter), (5000, true, 1));
}

fn edges() -> impl Strategy<Value = BTreeSet<(FwId, FwId)>> {
    prop::collection::btree_set((1_i64..12, 1_i64..12), 0..30)
        .prop_map(|pairs| pairs.into_iter().filter(|(parent, child)| parent < child).collect())
}

proptest! {
    #[test]
    fn lines_are_all_edges_and_nothing_else(edges in edges()) {
        let nodes: Vec<(FwId, &str)> = (1..12).map(|id| (id, "x")).collect();
        let (_, columns) = laid(&nodes, &edges.iter().copied().collect::<Vec<_>>());
        if columns.has_lines {
            prop_assert_eq!(pairs(&columns), edges, "{}", text(&columns));
        }
        let found: BTreeSet<FwId> = (1..12).filter(|id| columns.find(*id).is_some()).collect();
        prop_assert_eq!(found.len(), 11);
        for column in &columns.columns {
            let rows: BTreeSet<usize> = column.places.iter().map(|place| place.row).collect();
            prop_assert_eq!(rows.len(), column.places.len(), "two in one row");
        }
    }

    #[test]
    fn trees_have_lines(above in prop::collection::vec(0_usize..20, 1..20)) {
        let nodes: Vec<(FwId, &str)> = (0..=above.len()).map(|id| (id as FwId, "x")).collect();
        let edge = |(child, &parent): (usize, &usize)| ((parent % (child + 1)) as FwId, child as FwId + 1);
        let edges: BTreeSet<(FwId, FwId)> = above.iter().enumerate().map(edge).collect();
        let (_, columns) = laid(&nodes, &edges.iter().copied().collect::<Vec<_>>());
        prop_assert!(columns.has_lines);
        prop_assert_eq!(columns.columns.iter().map(|column| column.places.len()).max() <= Some(MANY), true);
        if columns.columns.iter().flat_map(|column| &column.places).all(|place| place.members.len() < 2) {
            prop_assert_eq!(pairs(&columns), edges, "{}", text(&columns));
        }
    }
}
