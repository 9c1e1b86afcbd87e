//! Folding one edit into a list in which order matters.
//!
//! An edit may move back over another only if the two commute, and merge with it only if the merged edit has the same
//! effect on every possible value. If in doubt, it is appended: that makes the journal longer, but never wrong.

use super::super::edit::{Act, Edit};
use super::super::json::index::index_of;
use super::super::json::node::Node;

/// Merges an edit into an earlier one that it can reach, or appends it.
pub(super) fn append(list: &mut Vec<Edit>, edit: Edit) {
    let mut at = list.len();
    for _ in 0..REACH {
        if at == 0 || matches!(edit.act, Act::Forget) && at < list.len() {
            break;
        }
        at -= 1;
        let older = &mut list[at];
        if matches!(older.act, Act::Forget) {
            break;
        }
        match (relation(&older.path, &edit.path), &mut older.act, &edit.act) {
            // If the value is removed now, only the fact that something was put there matters.
            (Relation::Same, Act::Put(node), Act::Forget) => {
                *node = Node::null();
                break;
            }
            (_, _, Act::Forget) => break,
            (Relation::Apart, _, _) => {}
            (Relation::Same | Relation::Inside, Act::Put(node), act) => {
                act.perform(node.place(&edit.path[older.path.len()..]));
                return;
            }
            (Relation::Same | Relation::Around, _, Act::Put(_)) => drop(list.remove(at)),
            (Relation::Same, Act::Add { by, left }, Act::Add { by: more, left: now }) => {
                let Some(sum) = by.plus(*more) else { break };
                (*by, *left) = (sum, *now);
                return;
            }
            (Relation::Same, Act::Push { items, .. }, Act::Push { items: more, .. }) => {
                items.extend(more.iter().cloned());
                return;
            }
            (Relation::Same, Act::Object, Act::Object) => return,
            (Relation::Same | Relation::Inside | Relation::Around | Relation::Entangled, _, _) => break,
        }
    }
    // Most lists never hold more than one edit; the default capacity of four takes half a kilobyte.
    if list.is_empty() {
        list.reserve_exact(1);
    }
    list.push(edit);
}

/// How the path of a newer edit relates to the path of an older one.
enum Relation {
    Same,
    /// The newer path is below the older one.
    Inside,
    /// The newer path is above the older one.
    Around,
    /// The paths diverge at two names or at two indices, so neither edit affects the other.
    Apart,
    /// The paths diverge at a name and an index: one edit creates an object where the other creates an array.
    Entangled,
}

fn relation(older: &[Box<str>], newer: &[Box<str>]) -> Relation {
    match older.iter().zip(newer).find(|(older, newer)| older != newer) {
        Some((older, newer)) if index_of(older).is_some() == index_of(newer).is_some() => Relation::Apart,
        Some(_) => Relation::Entangled,
        None => match older.len().cmp(&newer.len()) {
            std::cmp::Ordering::Equal => Relation::Same,
            std::cmp::Ordering::Less => Relation::Inside,
            std::cmp::Ordering::Greater => Relation::Around,
        },
    }
}

/// How far back an edit looks for one to merge with: far enough for requests that alternate between a few paths, and
/// bounded, so that adding edits is never quadratic.
const REACH: usize = 64;
