//! The tree as readers see it: depth first, siblings by name, then id.
//!
//! Names stand in one text, and nothing is copied on the way: a tree of 100,000 units is a few allocations.

use std::collections::HashMap;
use std::ops::Range;

use crate::OrgUnitId;

/// Units of a tree in no order, as a store finds them.
#[derive(Debug, Default)]
pub struct TreeRows {
    /// Every name, and after it the key that siblings are sorted by.
    text: String,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    id: OrgUnitId,
    parent_id: Option<OrgUnitId>,
    /// Where the name begins, where it ends and its key begins, and where that ends.
    name: usize,
    key: usize,
    end: usize,
}

impl TreeRows {
    /// Adds a unit. `key` is what siblings are sorted by, before their ids.
    pub fn push(&mut self, id: OrgUnitId, parent_id: Option<OrgUnitId>, name: &str, key: &str) {
        let start = self.text.len();
        self.text.push_str(name);
        self.text.push_str(key);
        self.rows.push(Row { id, parent_id, name: start, key: start + name.len(), end: self.text.len() });
    }

    /// Id, parent, name and key of each.
    pub fn iter(&self) -> impl Iterator<Item = (OrgUnitId, Option<OrgUnitId>, &str, &str)> {
        self.rows
            .iter()
            .map(|row| (row.id, row.parent_id, self.slice(row.name..row.key), self.slice(row.key..row.end)))
    }

    fn slice(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }

    fn key(&self, row: &Row) -> &str {
        self.slice(row.key..row.end)
    }
}

/// A unit in a reader's view of the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeUnit<'a> {
    pub id: OrgUnitId,
    pub parent_id: Option<OrgUnitId>,
    pub name: &'a str,
    /// From 1 at the reader's unit.
    pub level: usize,
    /// The place among its siblings, from 1.
    pub place: usize,
}

/// A tree in its order.
#[derive(Debug)]
pub struct Tree {
    rows: TreeRows,
    order: Vec<Node>,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    row: usize,
    level: usize,
    place: usize,
}

impl Tree {
    /// Orders the units that hang below `root`, itself first. Others are left out, so it ends also on a cycle.
    pub(super) fn new(mut rows: TreeRows, root: OrgUnitId) -> Self {
        // Siblings come to stand together, in their order.
        let mut sorted = std::mem::take(&mut rows.rows);
        sorted
            .sort_unstable_by(|a, b| (a.parent_id, rows.key(a), a.id).cmp(&(b.parent_id, rows.key(b), b.id)));
        rows.rows = sorted;
        let mut children: HashMap<OrgUnitId, Range<usize>> = HashMap::new();
        let mut stack = Vec::new();
        for (at, row) in rows.rows.iter().enumerate() {
            if row.id == root {
                stack.push(Node { row: at, level: 1, place: 1 });
            } else if let Some(parent) = row.parent_id {
                children.entry(parent).or_insert(at..at).end = at + 1;
            }
        }
        let mut order = Vec::with_capacity(rows.rows.len());
        while let Some(node) = stack.pop() {
            let id = rows.rows[node.row].id;
            let below = children.get(&id).cloned().unwrap_or_default();
            // On a cycle the root stands among those below it.
            let below = below.filter(|at| rows.rows[*at].id != root);
            let first = stack.len();
            stack.extend((1..).zip(below).map(|(place, row)| Node { row, level: node.level + 1, place }));
            // The last one comes off the stack last.
            stack[first..].reverse();
            order.push(node);
        }
        Self { rows, order }
    }

    pub fn len(&self) -> usize {
        self.order.len()
    }

    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// The units in their order: each before what hangs below it.
    pub fn iter(&self) -> impl Iterator<Item = TreeUnit<'_>> {
        self.order.iter().map(|Node { row, level, place }| {
            let row = &self.rows.rows[*row];
            TreeUnit {
                id: row.id,
                parent_id: row.parent_id,
                name: self.rows.slice(row.name..row.key),
                level: *level,
                place: *place,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(units: &[(i64, i64, &str)], root: i64) -> Vec<(i64, usize, usize)> {
        let mut rows = TreeRows::default();
        for (id, parent, name) in units {
            let parent = (*parent != 0).then_some(OrgUnitId(*parent));
            rows.push(OrgUnitId(*id), parent, name, &name.to_lowercase());
        }
        let tree = Tree::new(rows, OrgUnitId(root));
        let names: Vec<&str> = tree.iter().map(|unit| unit.name).collect();
        assert!(names.iter().all(|name| units.iter().any(|(_, _, known)| known == name)), "{names:?}");
        tree.iter().map(|unit| (unit.id.0, unit.level, unit.place)).collect()
    }

    #[test]
    fn siblings_stand_by_name_then_id_and_children_below_their_parent() {
        let units = [(1, 0, "top"), (2, 1, "b"), (3, 1, "A"), (4, 3, "x"), (5, 1, "a")];
        assert_eq!(shape(&units, 1), [(1, 1, 1), (3, 2, 1), (4, 3, 1), (5, 2, 2), (2, 2, 3)]);
    }

    #[test]
    fn a_branch_begins_with_its_root_wherever_that_hangs() {
        assert_eq!(shape(&[(2, 1, "b"), (4, 2, "x")], 2), [(2, 1, 1), (4, 2, 1)]);
        assert_eq!(shape(&[], 2), []);
    }

    #[test]
    fn a_cycle_ends() {
        assert_eq!(shape(&[(1, 2, "a"), (2, 1, "b"), (3, 2, "c")], 1), [(1, 1, 1), (2, 2, 1), (3, 3, 1)]);
        assert_eq!(shape(&[(1, 1, "a"), (2, 3, "b"), (3, 2, "c")], 1), [(1, 1, 1)]);
    }
}
