//! Sorting a handful of things.
//!
//! Each use of std's sort is some kilobytes of code that every page downloads. What a record
//! holds is sorted by insertion instead: quick for the dozen that there are, and still a
//! matter of milliseconds for the most that the limits allow.

/// `all`, each behind those whose key is not larger.
pub(crate) fn by_key<T, K: Ord>(
    all: impl IntoIterator<Item = T>,
    key: impl for<'t> Fn(&'t T) -> K,
) -> Vec<T> {
    let mut sorted = Vec::new();
    for one in all {
        let new = key(&one);
        let before = sorted.partition_point(|other| key(other) <= new);
        sorted.insert(before, one);
    }
    sorted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_sorts_as_std_does(all: Vec<(u8, u16)>) {
            let mut expected = all.clone();
            expected.sort_by_key(|(key, _)| *key);
            prop_assert_eq!(super::by_key(all, |(key, _)| *key), expected);
        }
    }
}
