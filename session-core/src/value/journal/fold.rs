//! Folding one edit into a list in which order matters.
//!
//! An edit may move back over another only if they commute, and merge with one only if the merged edit does the same
//! from every start. In doubt it stays where it is: a longer journal is right, a wrong one is not.

use super::super::edit::{Act, Edit};
use super::super::json::index::index_of;
use super::super::json::node::Node;

/// Adds an edit at the end, or into an earlier one that it can reach.
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
            // What was put there is not needed, only that something was, if it is removed now.
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
    // Most lists hold one edit for good: the usual room for four is half a kilobyte.
    if list.is_empty() {
        list.reserve_exact(1);
    }
    list.push(edit);
}

/// How the place of a newer edit relates to that of an older one.
enum Relation {
    Same,
    /// Inside of the older one's value.
    Inside,
    /// Around the older one's place.
    Around,
    /// They part at two names or at two indices: neither can tell whether the other was there.
    Apart,
    /// They part at a name and an index: one of them makes an object of what the other makes an array of.
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

/// How far back an edit looks for one to fold into: enough for what a request alternates between, and never quadratic.
const REACH: usize = 64;
