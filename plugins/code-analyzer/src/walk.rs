//! Going over a syntax tree without recursion: what is deep in the code is not deep on the stack.

use tree_sitter::{Language, Node, Tree};

/// What each kind of node means to a reader; kinds without a meaning are passed over.
pub struct Roles<R> {
    by_kind: Vec<Option<R>>,
}

impl<R: Copy> Roles<R> {
    /// Look up the names of `roles` in a grammar.
    pub fn new(grammar: &Language, roles: &[(&str, R)]) -> Self {
        let role_of = |id: u16| {
            let name = grammar.node_kind_for_id(id).filter(|_| grammar.node_kind_is_named(id))?;
            roles.iter().find(|(kind, _)| *kind == name).map(|(_, role)| *role)
        };
        let kinds = u16::try_from(grammar.node_kind_count()).unwrap_or(u16::MAX);
        Self { by_kind: (0..kinds).map(role_of).collect() }
    }

    /// What a node means.
    pub fn of(&self, node: Node) -> Option<R> {
        self.by_kind.get(usize::from(node.kind_id())).copied().flatten()
    }
}

/// Call `enter` with every node before its children, and with how deep it lies.
pub fn walk<'t>(tree: &'t Tree, mut enter: impl FnMut(Node<'t>, usize)) {
    let mut cursor = tree.walk();
    let mut depth = 0;
    loop {
        enter(cursor.node(), depth);
        if cursor.goto_first_child() {
            depth += 1;
            continue;
        }
        while !cursor.goto_next_sibling() {
            if !cursor.goto_parent() {
                return;
            }
            depth -= 1;
        }
    }
}

/// The children of a node that are more than punctuation.
pub fn children<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).collect()
}

/// The first child of a kind.
pub fn child<'t>(node: Node<'t>, kind: &str) -> Option<Node<'t>> {
    let mut cursor = node.walk();
    let found = node.children(&mut cursor).find(|child| child.kind() == kind);
    found
}

/// All children under the name of a field.
pub fn fields<'t>(node: Node<'t>, field: &str) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.children_by_field_name(field, &mut cursor).collect()
}
