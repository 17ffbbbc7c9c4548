//! Reading the merged document: as it is now, or as it was at a version.
//!
//! Asking for one record costs some microseconds a map. Whoever wants most of the records
//! gathers a [`Bulk`] first, one walk over all operations, and asks the same questions of that.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use automerge::iter::{DocItem, ListRange, MapRangeItem};
use automerge::{Automerge, ChangeHash, ObjId, ObjType, ReadDoc, Value, ValueRef};

/// A document at one moment of its history.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'d> {
    doc: &'d Automerge,
    /// The version; none is now.
    heads: Option<&'d [ChangeHash]>,
    bulk: Option<&'d Bulk<'d>>,
}

/// The fields of every map below one object that shows, in the order of the document.
pub(crate) struct Bulk<'d> {
    items: Vec<MapRangeItem<'d>>,
    maps: HashMap<Arc<ObjId>, Range<usize>>,
}

impl<'d> Reader<'d> {
    /// The document now.
    pub(crate) fn now(doc: &'d Automerge) -> Self {
        Self {
            doc,
            heads: None,
            bulk: None,
        }
    }

    /// The document at `heads`, all of which it has.
    pub(crate) fn at(doc: &'d Automerge, heads: &'d [ChangeHash]) -> Self {
        Self {
            doc,
            heads: Some(heads),
            bulk: None,
        }
    }

    /// Reads everything below the map `top` at once.
    pub(crate) fn gather(self, top: &ObjId) -> Bulk<'d> {
        let mut items = Vec::new();
        let mut maps: HashMap<Arc<ObjId>, Range<usize>> = HashMap::new();
        let mut current: Option<(Arc<ObjId>, usize)> = None;
        for entry in self.doc.iter_at(top, self.heads) {
            let DocItem::Map(item) = entry.item else {
                continue;
            };
            let began = match current.take() {
                Some((obj, began)) if Arc::ptr_eq(&obj, &entry.obj) => began,
                Some((obj, began)) => {
                    maps.insert(obj, began..items.len());
                    items.len()
                }
                None => items.len(),
            };
            current = Some((entry.obj, began));
            if matches!(item.value, ValueRef::Object(ObjType::Map)) {
                maps.entry(Arc::new(item.id())).or_insert(0..0); // Also those that are empty.
            }
            items.push(item);
        }
        if let Some((obj, began)) = current {
            maps.insert(obj, began..items.len());
        }
        Bulk { items, maps }
    }

    /// The same moment, asking `bulk` first.
    pub(crate) fn with<'b>(self, bulk: &'b Bulk<'b>) -> Reader<'b>
    where
        'd: 'b,
    {
        Reader {
            doc: self.doc,
            heads: self.heads,
            bulk: Some(bulk),
        }
    }

    /// The fields of `map` by name, of each the newest value.
    pub(crate) fn items(self, map: &ObjId) -> Box<dyn Iterator<Item = MapRangeItem<'d>> + 'd> {
        if let Some(bulk) = self.bulk
            && let Some(range) = bulk.maps.get(map)
        {
            return Box::new(bulk.items[range.clone()].iter().cloned());
        }
        Box::new(match self.heads {
            None => self.doc.map_range(map, ..),
            Some(heads) => self.doc.map_range_at(map, .., heads),
        })
    }

    /// Every value that stands at `prop` of `map`, oldest first.
    pub(crate) fn all(self, map: &ObjId, prop: &str) -> Vec<(Value<'d>, ObjId)> {
        let found = match self.heads {
            None => self.doc.get_all(map, prop),
            Some(heads) => self.doc.get_all_at(map, prop, heads),
        };
        let mut found = found.unwrap_or_default();
        found.sort_unstable_by(|(_, a), (_, b)| a.cmp(b));
        found
    }

    /// The items of `list`.
    pub(crate) fn list(self, list: &ObjId) -> ListRange<'d> {
        match self.heads {
            None => self.doc.list_range(list, ..),
            Some(heads) => self.doc.list_range_at(list, .., heads),
        }
    }

    /// The letters of a text that another client made; none if it is no text.
    pub(crate) fn text(self, text: &ObjId) -> Option<String> {
        match self.heads {
            None => self.doc.text(text),
            Some(heads) => self.doc.text_at(text, heads),
        }
        .ok()
    }

    /// What kind of object `op` made, if it made one.
    pub(crate) fn kind(self, op: &ObjId) -> Option<ObjType> {
        self.doc.object_type(op).ok()
    }

    /// Every map that stands at `prop` of any of `parents`, oldest first.
    pub(crate) fn maps_at(self, parents: &[ObjId], prop: &str) -> Vec<ObjId> {
        let mut maps = Vec::new();
        for parent in parents {
            if let Some(item) = self.gathered(parent, prop)
                && !item.conflict
            {
                let is_map = matches!(item.value, ValueRef::Object(ObjType::Map));
                maps.extend(is_map.then(|| item.id()));
                continue;
            }
            let all = self.all(parent, prop).into_iter();
            let of_maps = all.filter(|(value, _)| matches!(value, Value::Object(ObjType::Map)));
            maps.extend(of_maps.map(|(_, id)| id));
        }
        maps.sort_unstable();
        maps
    }

    /// The newest value at `prop` of `map`, if it was gathered.
    fn gathered(self, map: &ObjId, prop: &str) -> Option<&'d MapRangeItem<'d>> {
        let bulk = self.bulk?;
        let items = bulk.items.get(bulk.maps.get(map)?.clone())?;
        let at = items
            .binary_search_by(|item| item.key.as_ref().cmp(prop))
            .ok()?;
        items.get(at)
    }
}
