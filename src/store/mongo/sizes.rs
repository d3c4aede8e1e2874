//! What would not fit into a document is refused before anything of it is written: half way it
//! would stop everybody who tries to finish it.

use bson::oid::ObjectId;
use bson::{Document, doc};
use mongodb::error::ErrorKind;

use super::MongoStore;
use super::commands::LARGEST;
use crate::store::Result;
use crate::workflow::as_int;
use crate::workflow::decide::Refusal;
use crate::workflow::graph::{FIZZLED_PARENTS, Graph};

/// What a firework and a link take in the document of a workflow, at most.
const PER_FIREWORK: usize = 128;
const PER_LINK: usize = 48;

fn is_too_large(document: &Document) -> bool {
    !document.to_vec().is_ok_and(|bytes| bytes.len() <= LARGEST)
}

/// Refuses specs, changed ones and new ones, that would be too large.
pub fn check_specs(graph: &Graph) -> Result<(), Refusal> {
    let changed = graph.nodes.iter().filter_map(|(&child, node)| Some((child, node.new_spec.as_ref()?)));
    let new = graph.spawned().iter().flat_map(|spawn| spawn.draft.fireworks()).map(|fw| (fw.local_id, &fw.spec));
    match changed.chain(new).find(|(_, spec)| is_too_large(spec)) {
        Some((child, _)) => Err(Refusal::TooLarge { child }),
        None => Ok(()),
    }
}

/// Leaves out what fizzled parents were, where it would make a spec too large.
pub fn trim_fizzled_parents(graph: &mut Graph) {
    for (fw_id, node) in &mut graph.nodes {
        if let Some(spec) = node.new_spec.as_mut().filter(|spec| is_too_large(spec)) {
            spec.remove(FIZZLED_PARENTS);
            tracing::warn!("fw_id {fw_id}: its fizzled parents are too large to be shown in its spec");
        }
    }
}

impl MongoStore {
    /// Refuses new fireworks that a workflow has no room for.
    pub(super) fn check_growth(&self, workflow: ObjectId, graph: &Graph) -> Result<Result<(), Refusal>> {
        let spawned = graph.spawned();
        if spawned.is_empty() {
            return Ok(Ok(()));
        }
        let fireworks: usize = spawned.iter().map(|spawn| spawn.draft.fireworks().len()).sum();
        let inner: usize = spawned.iter().map(|spawn| spawn.draft.links().count()).sum();
        let outer = spawned.iter().map(|spawn| {
            spawn.parents.len() * spawn.draft.roots().count() + spawn.children.len() * spawn.draft.leaves().count()
        });
        let growth = fireworks * PER_FIREWORK + (inner + outer.sum::<usize>()) * PER_LINK;
        let fits = self.size_of_workflow(workflow)?.is_none_or(|size| size + growth <= LARGEST);
        Ok(if fits { Ok(()) } else { Err(Refusal::NoRoom { fireworks }) })
    }

    /// Bytes of the document of a workflow; none where the server is too old to tell.
    fn size_of_workflow(&self, workflow: ObjectId) -> Result<Option<usize>> {
        let measure =
            [doc! { "$match": { "_id": workflow } }, doc! { "$project": { "size": { "$bsonSize": "$$ROOT" } } }];
        let found = self.workflows.aggregate(measure).run();
        match found.and_then(Iterator::collect::<mongodb::error::Result<Vec<Document>>>) {
            Err(error) if matches!(error.kind.as_ref(), ErrorKind::Command(_)) => Ok(None),
            found => {
                let size = self.ask(found)?.pop().and_then(|document| document.get("size").and_then(as_int));
                Ok(size.and_then(|size| usize::try_from(size).ok()))
            }
        }
    }
}
