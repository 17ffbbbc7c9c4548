//! T3 and D8 for images: what is taken out comes back exactly; nothing else is taken out.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::borrow::Cow;
use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// A one-pixel GIF: the smallest image a browser shows.
const GIF: &str = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=";

fn image(mime: Mime, tail: &[u8]) -> Vec<u8> {
    let magic: &[u8] = match mime {
        Mime::Png => b"\x89PNG\r\n\x1a\n",
        Mime::Jpeg => b"\xff\xd8\xff",
        Mime::Webp => b"RIFF\0\0\0\0WEBP",
        Mime::Gif => b"GIF89a",
    };
    [magic, tail].concat()
}

#[test]
fn d8_a_canonical_data_url_comes_back_letter_for_letter() {
    for mime in Mime::ALL {
        for tail in [&b""[..], b"1", b"12", b"123"] {
            let url = to_data_url(mime, &image(mime, tail));
            let blob = from_data_url(&url).unwrap();
            assert_eq!((blob.mime, blob.to_data_url()), (mime, url));
        }
    }
}

#[test]
fn d8_any_other_spelling_stays_text() {
    let base = "R0lGODlhAQABAAAAACwAAAAAAQABAAA";
    for text in [
        format!("data:image/gif;base64,{base}"),    // padding missing
        format!("data:image/gif;base64,{base}=="),  // padding too long
        format!("data:image/gif;base64,{base}=\n"), // line end
        format!("data:image/gif;base64, {base}="),  // space
        format!("data:image/gif;base64,{}B=", &base[..base.len() - 1]), // stray bits
        format!("data:image/GIF;base64,{base}="),   // other letters
        format!("DATA:image/gif;base64,{base}="),
        format!("data:image/gif;charset=utf-8;base64,{base}="),
        format!("data:image/gif,{base}="),
        format!(" data:image/gif;base64,{base}="),
        format!("data:image/gif;base64,{}", base.replace('A', "_")), // url alphabet
        "data:image/gif;base64,".to_owned(),
        "data:".to_owned(),
        String::new(),
    ] {
        assert_eq!(from_data_url(&text), None, "{text:?}");
    }
    assert!(from_data_url(GIF).is_some());
}

#[test]
fn t3_bytes_that_are_not_the_declared_image_stay_text() {
    let svg = STANDARD.encode("<svg onload='alert(1)'/>");
    let png = STANDARD.encode(image(Mime::Png, b""));
    for text in [
        format!("data:image/svg+xml;base64,{svg}"),
        format!("data:image/png;base64,{svg}"),
        format!("data:image/gif;base64,{png}"),
        format!("data:text/html;base64,{png}"),
        "data:image/png;base64,".to_owned(),
    ] {
        assert_eq!(from_data_url(&text), None, "{text:?}");
    }
}

#[test]
fn s5_an_image_past_the_limit_stays_text() {
    let fits = image(Mime::Png, &vec![0; BLOB_BYTES_MAX - 8]);
    assert!(from_data_url(&to_data_url(Mime::Png, &fits)).is_some());
    let over = image(Mime::Png, &vec![0; BLOB_BYTES_MAX - 7]);
    assert_eq!(from_data_url(&to_data_url(Mime::Png, &over)), None);
    assert_eq!(Blob::from_bytes(over), None);
}

#[test]
fn t3_only_four_types_are_images() {
    for mime in Mime::ALL {
        assert_eq!(sniff(&image(mime, b"")), Some(mime));
        assert_eq!(Mime::from_name(mime.as_str()), Some(mime));
        assert_eq!(serde_json::to_value(mime).unwrap(), mime.as_str());
    }
    for bytes in [
        &b""[..],
        b"<svg/>",
        b"BM",
        b"GIF88a",
        b"RIFF0000WAVE",
        b"\x89PNG\r\n\x1a",
        b"\xff\xd8",
    ] {
        assert_eq!(sniff(bytes), None, "{bytes:?}");
    }
}

#[test]
fn f12_a_link_names_its_image() {
    let hash = BlobRef::of(b"");
    let digits = hash.name().replace("sha256-", "");
    for folder in ["job_history.images", "./a.images", "some/where/x.images"] {
        let link = format!("{folder}/{digits}.png");
        assert_eq!(BlobRef::from_link(&link), Ok(hash), "{link}");
    }
    for other in [
        format!("job_history.images/{digits}.svg"),
        format!("job_history.images/{digits}"),
        format!("images/{digits}.png"),
        format!("{digits}.png"),
        format!("job_history.images/{}.png", &digits[1..]),
        format!("job_history.images/{}.png", digits.to_uppercase()),
        format!("job_history.images/{digits}.png/"),
        "job_history.images/knight.png".to_owned(),
    ] {
        assert_eq!(BlobRef::from_link(&other), Err(BlobRefError), "{other}");
    }
}

#[test]
fn a_reference_has_one_spelling() {
    let hash = BlobRef::of(b"");
    let text = "blob:sha256-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(hash.to_string(), text);
    assert_eq!(text.parse(), Ok(hash));
    assert_eq!(BlobRef::from_name(&hash.name()), Ok(hash));
    for other in [
        text.to_uppercase(),
        text.replace("b855", "B855"),
        text.replace("blob:", ""),
        text.replace("sha256", "sha512"),
        format!("{text}0"),
        text[..text.len() - 1].to_owned(),
        format!(" {text}"),
        text.replace("e3", "é"),
    ] {
        assert_eq!(other.parse::<BlobRef>(), Err(BlobRefError), "{other}");
    }
}

#[test]
fn d8_both_forms_of_a_result_are_taken_out_and_put_back() {
    let came = json!({
        "prompt": GIF, "seed": GIF, "id": "job-1", "result": {"image_data_url": GIF, "prompt": GIF},
        "rotationData": {"imageDataUrl": GIF}, "deep": [[[{"x": [GIF, 1, null]}]]],
        "__proto__": GIF, "svg": "data:image/svg+xml;base64,PHN2Zy8+",
    });
    let skip = ["prompt", "seed"];
    let mut value = came.clone();
    let blobs = externalize(&mut value, &skip);
    assert_eq!(blobs.len(), 1, "one image, however often it stands there");
    let hash = blobs[0].hash;
    assert_eq!(value["result"]["image_data_url"], hash.to_string());
    assert_eq!(value["__proto__"], hash.to_string());
    assert_eq!(value["prompt"], GIF);
    assert_eq!(value["result"]["prompt"], GIF);
    assert_eq!(refs(&value, &skip), [hash]);
    let other = BTreeMap::from([(hash, blobs[0].bytes.clone())]);
    inline(&mut value, &skip, |hash| other.get(hash).map(Cow::from));
    assert_eq!(value, came);
}

#[test]
fn a_reference_typed_by_a_person_stays_text() {
    let hash = BlobRef::of(b"x").to_string();
    let mut value = json!({"prompt": hash, "result": hash});
    inline(&mut value, &["prompt"], |_| {
        Some(image(Mime::Gif, b"").into())
    });
    assert_eq!(value["prompt"], hash);
    assert_eq!(
        value["result"],
        to_data_url(Mime::Gif, &image(Mime::Gif, b""))
    );
}

#[test]
fn d1_an_image_not_held_stays_a_reference() {
    let mut value = json!([BlobRef::of(b"x").to_string(), BlobRef::of(b"y").to_string()]);
    let came = value.clone();
    inline(&mut value, &[], |_| None);
    assert_eq!(value, came);
    inline(&mut value, &[], |_| Some(b"<svg/>".as_slice().into()));
    assert_eq!(value, came);
}

#[test]
fn images_come_in_the_order_of_the_value() {
    let url = |n: u8| to_data_url(Mime::Gif, &image(Mime::Gif, &[n]));
    let mut value = json!({"a": [url(3), {"z": url(1)}], "b": url(2), "c": url(3)});
    let blobs = externalize(&mut value, &[]);
    let order: Vec<u8> = blobs.iter().map(|blob| blob.bytes[6]).collect();
    assert_eq!(order, [3, 1, 2]);
    let hashes: Vec<BlobRef> = blobs.iter().map(|blob| blob.hash).collect();
    assert_eq!(refs(&value, &[]), hashes);
}

fn mime() -> impl Strategy<Value = Mime> {
    prop::sample::select(Mime::ALL.to_vec())
}

proptest! {
    /// Whatever is taken out gives exactly the same text again.
    #[test]
    fn d8_what_is_taken_out_comes_back(mime in mime(), tail in prop::collection::vec(any::<u8>(), 0..40), cut in any::<prop::sample::Index>(), letter in any::<char>()) {
        let url = to_data_url(mime, &image(mime, &tail));
        prop_assert_eq!(from_data_url(&url).map(|blob| blob.to_data_url()), Some(url.clone()));
        let mut letters: Vec<char> = url.chars().collect();
        let at = cut.index(letters.len());
        letters[at] = letter;
        let other: String = letters.into_iter().collect();
        if let Some(blob) = from_data_url(&other) {
            prop_assert_eq!(blob.to_data_url(), other);
        }
    }

    #[test]
    fn references_round_trip(hash in any::<[u8; 32]>(), junk in "\\PC{0,80}") {
        let hash = BlobRef::from_hash(hash);
        prop_assert_eq!(hash.to_string().parse(), Ok(hash));
        if let Ok(found) = junk.parse::<BlobRef>() {
            prop_assert_eq!(found.to_string(), junk);
        }
    }
}

#[test]
fn a_deep_value_does_not_overflow_the_walk() {
    let mut value = Value::from(GIF);
    for _ in 0..2_000 {
        value = Value::Array(vec![value]);
    }
    let blobs = externalize(&mut value, &[]);
    assert_eq!(refs(&value, &[]), [blobs[0].hash]);
}
