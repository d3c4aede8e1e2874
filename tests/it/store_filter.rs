//! MongoDB's query language without MongoDB: random queries find the same of random documents as in
//! the real mongod, and are refused where it refuses them.

use std::collections::BTreeSet;

use bson::{Bson, Document, bson, doc};
use jiff::Timestamp;
use volley::store::FireworkQuery;
use volley::store::filter::Filter;
use volley::workflow::Draft;

use crate::support::random::Random;
use crate::support::{Launchpad, is_long, seeds};

const DOCUMENTS: usize = 40;
const QUERIES: usize = 25;

/// A pool so small that things meet.
const KEYS: [&str; 5] = ["a", "b", "c", "0", "1"];
const TEXTS: [&str; 9] = ["", "a", "ab", "Ab", "relax_Cu", "é", "a\nb", "ab\n", "1"];
const PATTERNS: [&str; 20] = [
    "a",
    "^a",
    "b$",
    "^ab$",
    "^A",
    "a.b",
    "relax_(Cu|Ag)",
    "[A-Z]",
    r"\w",
    r"^\W",
    r"\s",
    r"\d+$",
    "x*",
    "^.$",
    "[^a]",
    "(?i)AB",
    r"^a\b",
    "[[:upper:]]",
    "a{1,2}",
    "^$",
];

fn decimal(text: &str) -> Bson {
    Bson::Decimal128(text.parse().expect("a decimal"))
}

fn regex(random: &mut Random) -> Bson {
    let options = random.of(&["", "i", "m", "s", "im"]);
    Bson::RegularExpression(bson::Regex {
        pattern: random.of(&PATTERNS).try_into().expect("no zero byte"),
        options: options.try_into().expect("no zero byte"),
    })
}

fn scalar(random: &mut Random) -> Bson {
    let wide = 9_007_199_254_740_993_i64;
    match random.below(26) {
        0..=3 => Bson::Int32(random.below(3) as i32),
        4 => Bson::Int64(random.of(&[0, 1, 2, wide, -wide, i64::MAX, i64::MIN])),
        5..=6 => Bson::Double(random.of(&[
            0.0,
            -0.0,
            1.0,
            0.1,
            1.5,
            wide as f64,
            9.3e18,
            -1e300,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
        ])),
        7 => decimal(random.of(&[
            "0",
            "1",
            "1.0",
            "0.1",
            "1.5",
            "NaN",
            "Infinity",
            "-Infinity",
            "1E400",
            "-2E-7",
            "9007199254740993",
        ])),
        8..=12 => random.of(&TEXTS).into(),
        13..=15 => Bson::Null,
        16..=17 => Bson::Boolean(random.percent(50)),
        18 => Bson::DateTime(bson::DateTime::from_millis(random.of(&[0, 1_000, -1]))),
        19 => Bson::ObjectId(bson::oid::ObjectId::from_bytes([random.below(2) as u8; 12])),
        20 => {
            Bson::Binary(bson::Binary { subtype: bson::spec::BinarySubtype::Generic, bytes: vec![0; random.below(3)] })
        }
        21 => random.of(&[Bson::MinKey, Bson::MaxKey]),
        22 => Bson::Timestamp(bson::Timestamp { time: random.below(2) as u32, increment: 1 }),
        23 => regex(random),
        24 => bson!([]),
        _ => bson!({}),
    }
}

fn value(random: &mut Random, depth: usize) -> Bson {
    match random.below(10) {
        0..=2 if depth > 0 => (0..random.below(4)).map(|_| value(random, depth - 1)).collect(),
        3..=5 if depth > 0 => document(random, depth - 1).into(),
        _ => scalar(random),
    }
}

fn document(random: &mut Random, depth: usize) -> Document {
    (0..random.below(4)).map(|_| (random.of(&KEYS).to_owned(), value(random, depth))).collect()
}

fn path(random: &mut Random) -> String {
    let keys: Vec<&str> = (0..1 + random.below(3)).map(|_| random.of(&KEYS)).collect();
    keys.join(".")
}

/// A value of a document, or another.
fn wanted(random: &mut Random, documents: &[Document]) -> Bson {
    if random.percent(60) {
        let mut here = Bson::Document(random.of(documents));
        for _ in 0..1 + random.below(3) {
            here = match &here {
                Bson::Document(below) if !below.is_empty() => {
                    below.iter().nth(random.below(below.len())).map(|(_, value)| value.clone()).unwrap_or(Bson::Null)
                }
                Bson::Array(items) if !items.is_empty() => random.of(items),
                other => return other.clone(),
            };
        }
        return here;
    }
    value(random, 1)
}

fn operator(random: &mut Random, documents: &[Document], depth: usize) -> (String, Bson) {
    let several = |random: &mut Random| -> Bson {
        (0..random.below(4))
            .map(|_| if random.percent(8) { regex(random) } else { wanted(random, documents) })
            .collect()
    };
    let name = random.of(&[
        "$eq",
        "$ne",
        "$gt",
        "$gte",
        "$lt",
        "$lte",
        "$in",
        "$nin",
        "$exists",
        "$not",
        "$regex",
        "$size",
        "$all",
        "$elemMatch",
        "$type",
    ]);
    let given = match name {
        "$in" | "$nin" => several(random),
        "$exists" => {
            if random.percent(80) {
                Bson::Boolean(random.percent(50))
            } else {
                scalar(random)
            }
        }
        "$not" if random.percent(20) => regex(random),
        "$not" => operators(random, documents, depth).into(),
        "$regex" => {
            if random.percent(80) {
                random.of(&PATTERNS).into()
            } else {
                regex(random)
            }
        }
        "$size" => {
            if random.percent(80) {
                bson!(random.below(4) as i32)
            } else {
                scalar(random)
            }
        }
        "$all" if random.percent(30) => {
            (0..1 + random.below(2)).map(|_| bson!({"$elemMatch": inner(random, documents, depth)})).collect()
        }
        "$all" => several(random),
        "$elemMatch" => inner(random, documents, depth),
        "$type" => match random.below(5) {
            0 => bson!(["int", "string"]),
            1 => scalar(random),
            2 => bson!(random.below(20) as i32),
            _ => random
                .of(&[
                    "array", "object", "number", "string", "null", "bool", "double", "minKey", "date", "regex",
                    "nothing",
                ])
                .into(),
        },
        _ => wanted(random, documents),
    };
    (name.to_owned(), given)
}

fn inner(random: &mut Random, documents: &[Document], depth: usize) -> Bson {
    if depth == 0 {
        return doc! {random.of(&KEYS): wanted(random, documents)}.into();
    }
    if random.percent(50) { query(random, documents, depth - 1) } else { operators(random, documents, depth - 1) }
        .into()
}

fn operators(random: &mut Random, documents: &[Document], depth: usize) -> Document {
    let mut all: Document = (0..1 + random.below(2)).map(|_| operator(random, documents, depth)).collect();
    if random.percent(10) {
        all.insert("$options", random.of(&["i", "m", "ix", "q"]));
    }
    all
}

fn query(random: &mut Random, documents: &[Document], depth: usize) -> Document {
    let one = |random: &mut Random| -> (String, Bson) {
        if depth > 0 && random.percent(20) {
            let of: Vec<Bson> = (0..1 + random.below(2)).map(|_| query(random, documents, depth - 1).into()).collect();
            return (random.of(&["$and", "$or", "$nor"]).to_owned(), of.into());
        }
        let asked = match random.below(10) {
            0..=3 => wanted(random, documents),
            4 => regex(random),
            _ => operators(random, documents, depth).into(),
        };
        (path(random), asked)
    };
    (0..1 + usize::from(random.percent(25))).map(|_| one(random)).collect()
}

/// What the real one finds, by number; none where it refuses.
fn found(collection: &mongodb::sync::Collection<Document>, query: &Document) -> Result<BTreeSet<usize>, String> {
    let cursor = collection.find(query.clone()).projection(doc! {"_id": 1}).run().map_err(|error| error.to_string())?;
    let ids = cursor
        .map(|one| one.map(|one| one.get_i32("_id").expect("a number") as usize).map_err(|error| error.to_string()));
    ids.collect()
}

#[test]
fn random_queries_find_what_mongodb_finds() {
    let Some(pad) = Launchpad::mongo() else { return };
    let (mut asked, mut hits, mut refused) = (0, 0, 0);
    let mut differences = Vec::new();
    for seed in seeds(0..12) {
        let mut random = Random::new(seed);
        let documents: Vec<Document> = (0..DOCUMENTS).map(|_| document(&mut random, 3)).collect();
        let collection = pad.database().collection::<Document>(&format!("documents_{seed}"));
        let numbered = documents.iter().enumerate().map(|(n, document)| {
            let mut numbered = doc! {"_id": n as i32};
            numbered.extend(document.clone());
            numbered
        });
        collection.insert_many(numbered.collect::<Vec<_>>()).run().expect("inserts");
        for _ in 0..QUERIES {
            let query = query(&mut random, &documents, 2);
            let theirs = found(&collection, &query);
            let ours = Filter::parse(&query).map_err(|error| error.to_string()).map(|filter| {
                let matching = documents.iter().enumerate().filter(|(_, document)| filter.matches(document));
                matching.map(|(n, _)| n).collect::<BTreeSet<usize>>()
            });
            asked += 1;
            match (&theirs, &ours) {
                (Ok(theirs), Ok(ours)) if theirs == ours => hits += ours.len(),
                (Err(_), Err(_)) => refused += 1,
                _ => differences.push(told(seed, &query, &documents, &theirs, &ours)),
            }
        }
        collection.drop().run().expect("drops");
    }
    assert!(
        differences.is_empty(),
        "{} of {asked}:\n{}",
        differences.len(),
        differences[..differences.len().min(8)].join("\n")
    );
    assert!(hits > asked && refused < asked / 2, "{asked} asked, {hits} found, {refused} refused: they say little");
    if is_long() {
        eprintln!("{asked} queries, {hits} documents found, {refused} refused");
    }
}

/// The query about documents that are in the spec of a firework.
fn in_spec(query: &Document) -> Document {
    let deeper = |(key, value): (&String, &Bson)| match value {
        Bson::Array(queries) if key.starts_with('$') => {
            let queries = queries.iter().filter_map(Bson::as_document).map(|query| Bson::from(in_spec(query)));
            (key.clone(), queries.collect())
        }
        _ => (format!("spec.d.{key}"), value.clone()),
    };
    query.iter().map(deeper).collect()
}

#[test]
fn sqlite_narrows_queries_without_loss() {
    let mut found = 0;
    for seed in seeds(0..6) {
        let pad = Launchpad::sqlite();
        let mut random = Random::new(seed);
        let documents: Vec<Document> = (0..DOCUMENTS).map(|_| document(&mut random, 3)).collect();
        let drafts = documents.iter().map(|document| {
            Draft::from_document(&doc! {"spec": {"_tasks": [], "d": document.clone()}}).expect("a workflow")
        });
        pad.store.insert(&drafts.collect::<Vec<_>>(), Timestamp::now()).expect("inserts");
        let stored = pad.store.find_fireworks(&FireworkQuery::default()).expect("finds");
        for _ in 0..3 * QUERIES {
            let query = in_spec(&query(&mut random, &documents, 1));
            let Ok(filter) = Filter::parse(&query) else { continue };
            let expected: Vec<i64> =
                stored.iter().filter(|one| filter.matches(&one.to_document())).map(|one| one.fw_id).collect();
            let asked = FireworkQuery { matching: Some(query.clone()), ..FireworkQuery::default() };
            assert_eq!(pad.store.firework_ids(&asked).expect("finds"), expected, "seed {seed}: {query}");
            found += expected.len();
        }
    }
    assert!(found > 500, "{found} found say little");
}

fn told(
    seed: u64,
    query: &Document,
    documents: &[Document],
    theirs: &Result<BTreeSet<usize>, String>,
    ours: &Result<BTreeSet<usize>, String>,
) -> String {
    let json = |document: &Document| Bson::Document(document.clone()).into_canonical_extjson().to_string();
    let mut text = format!("seed {seed}: {}", json(query));
    match (theirs, ours) {
        (Ok(theirs), Ok(ours)) => {
            for &n in theirs.symmetric_difference(ours).take(2) {
                let who = if theirs.contains(&n) { "MongoDB alone" } else { "the filter alone" };
                text.push_str(&format!("\n    {who}: {}", json(&documents[n])));
            }
        }
        (theirs, ours) => {
            let said = |one: &Result<BTreeSet<usize>, String>| {
                one.as_ref().map_or_else(Clone::clone, |found| format!("{found:?}"))
            };
            text.push_str(&format!("\n    MongoDB: {}\n    the filter: {}", said(theirs), said(ours)));
        }
    }
    text
}
