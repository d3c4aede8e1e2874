//! The workflows that an action from a file brings, with every field that FireWorks gives them: what
//! it reads there, however short, it stores in full.

use std::collections::BTreeMap;

use bson::{Bson, Document, doc};
use jiff::Timestamp;

use super::{Draft, DraftFirework, FwAction, as_int, int, time};

/// The action with its workflows in full. One that is none is left as it is: whoever wants to add
/// it will say what is wrong.
pub fn spelled_out(action: &FwAction, now: Timestamp) -> FwAction {
    let all = |documents: &[Document]| documents.iter().map(|document| workflow(document, now)).collect();
    let appended = action.append_wfs.iter().map(|document| {
        let mut document = document.clone();
        if let Ok(inner) = document.get_document_mut("workflow") {
            *inner = workflow(inner, now);
        }
        document
    });
    FwAction {
        additions: all(&action.additions),
        detours: all(&action.detours),
        append_wfs: appended.collect(),
        ..action.clone()
    }
}

fn workflow(document: &Document, now: Timestamp) -> Document {
    // One that has a date is what FireWorks itself has written.
    let draft = Draft::from_document(document).ok().filter(|_| !document.contains_key("created_on"));
    let Some(draft) = draft else { return document.clone() };
    let given: Vec<&Document> = match document.get_array("fws") {
        Ok(list) => list.iter().filter_map(Bson::as_document).collect(),
        Err(_) => vec![document],
    };
    let of: BTreeMap<i64, &DraftFirework> = draft.fireworks().iter().map(|one| (one.local_id, one)).collect();
    let mut fireworks = Vec::new();
    let mut links = Document::new();
    for (position, given) in given.iter().enumerate() {
        let id = given.get("fw_id").and_then(as_int).unwrap_or(-1 - position as i64);
        let Some(one) = of.get(&id) else { continue };
        fireworks.push(firework(one, time::to_iso(draft.created_on(one, now))));
        let children = draft.links().filter(|&(parent, _)| parent == id).map(|(_, child)| int(child));
        links.insert(id.to_string(), in_given_order(document, id).unwrap_or_else(|| children.collect()));
    }
    let date = time::to_iso(now);
    doc! {
        "fws": fireworks,
        "links": links,
        "name": draft.name,
        "metadata": draft.metadata,
        "updated_on": &date,
        "created_on": &date,
    }
}

/// The children of a firework as the workflow lists them.
fn in_given_order(document: &Document, id: i64) -> Option<Vec<Bson>> {
    let children = document.get_document("links").ok()?.get_array(id.to_string()).ok()?;
    children.iter().map(|child| as_int(child).map(int)).collect()
}

fn firework(firework: &DraftFirework, date: String) -> Document {
    let mut document = doc! {
        "spec": firework.spec.clone(),
        "fw_id": int(firework.local_id),
        "created_on": &date,
        "updated_on": &date,
    };
    if let Some(state) = firework.held {
        document.insert("state", state.as_str());
    }
    document.insert("name", &firework.name);
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_workflow_is_completed() {
        let task = doc! {"_fw_name": "ScriptTask", "script": "true"};
        let spec = doc! {"_tasks": [task]};
        let two = doc! {"fws": [{"spec": spec.clone()}, {"spec": spec.clone(), "name": "b"}], "links": {"-1": -2}};
        let more = doc! {"workflow": {"spec": spec.clone()}, "parents": [3]};
        let action = FwAction { detours: vec![two], append_wfs: vec![more], ..FwAction::default() };
        let full = spelled_out(&action, Timestamp::UNIX_EPOCH);
        let date = "1970-01-01T00:00:00.000000+00:00";
        let one = |id: i32, name: &str| {
            let date = date.replace(".000000", &format!(".{:06}", -1 - id));
            doc! {"spec": spec.clone(), "fw_id": id, "created_on": &date, "updated_on": &date, "name": name}
        };
        let whole = |fws: Vec<Document>, links: Document, name: &str| {
            doc! {"fws": fws, "links": links, "name": name, "metadata": {}, "updated_on": date, "created_on": date}
        };
        let expected = whole(vec![one(-1, "Unnamed FW"), one(-2, "b")], doc! {"-1": [-2], "-2": []}, "unnamed WF");
        assert_eq!(full.detours, [expected]);
        let expected = whole(vec![one(-1, "Unnamed FW")], doc! {"-1": []}, "Unnamed FW");
        assert_eq!(full.append_wfs, [doc! {"workflow": expected, "parents": [3]}]);
        assert_eq!(spelled_out(&full, Timestamp::now()), full, "what is in full stays");
    }

    #[test]
    fn what_is_no_workflow_stays() {
        let action = FwAction { additions: vec![doc! {"fws": []}, doc! {"x": 1}], ..FwAction::default() };
        assert_eq!(spelled_out(&action, Timestamp::now()), action);
    }
}
