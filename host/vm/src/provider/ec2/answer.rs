//! Reads EC2's documents: elements by name, lists as `item` children.

use roxmltree::{Document, Node};

use super::{Cause, ProviderError};

/// Refuses what is no document, so that no later reader meets one.
pub(super) fn check(action: &str, body: String) -> Result<String, ProviderError> {
    match Document::parse(&body) {
        Ok(_) => Ok(body),
        Err(error) => Err(ProviderError::because(Cause::TimedOut, format!("EC2 answered {action} unreadably"), error)),
    }
}

/// The items of a list, with whatever `read` makes of each.
pub(super) fn items<T>(body: &str, list: &str, read: impl FnMut(Node<'_, '_>) -> Vec<T>) -> Vec<T> {
    let Ok(document) = Document::parse(body) else { return Vec::new() };
    let lists = document.root_element().children().filter(|node| node.has_tag_name_of(list));
    lists
        .flat_map(|list| list.children().filter(|node| node.has_tag_name_of("item")).collect::<Vec<_>>())
        .flat_map(read)
        .collect()
}

/// The text at a path of element names below the root.
pub(super) fn text_of(body: &str, path: &[&str]) -> Option<String> {
    let document = Document::parse(body).ok()?;
    text(document.root_element(), path)
}

pub(super) fn text(node: Node<'_, '_>, path: &[&str]) -> Option<String> {
    let found = path.iter().try_fold(node, |node, name| node.children().find(|child| child.has_tag_name_of(name)));
    found?.text().map(|text| text.trim().to_owned())
}

pub(super) fn children<'a, 'd>(node: Node<'a, 'd>, list: &'a str) -> impl Iterator<Item = Node<'a, 'd>> {
    let list = node.children().find(|child| child.has_tag_name_of(list));
    list.into_iter().flat_map(|list| list.children()).filter(|child| child.has_tag_name_of("item"))
}

/// The value of a tag of ours.
pub(super) fn tag(node: Node<'_, '_>, key: &str) -> Option<String> {
    let tag = children(node, "tagSet").find(|tag| text(*tag, &["key"]).as_deref() == Some(key))?;
    text(tag, &["value"])
}

/// Whatever the namespace: that of the document has the API's version in it.
trait Named {
    fn has_tag_name_of(&self, name: &str) -> bool;
}

impl Named for Node<'_, '_> {
    fn has_tag_name_of(&self, name: &str) -> bool {
        self.tag_name().name() == name
    }
}
