#![no_main]

libfuzzer_sys::fuzz_target!(
    init: {
        // The replica catches what the merge library panics about, and must be let: the fuzzer's
        // own hook would end the process. What nobody catches ends it all the same.
        let ends_it = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if info.location().is_some_and(|at| plainsync_fuzz::is_ours(at.file())) {
                ends_it(info);
            }
        }));
    },
    |bytes: &[u8]| {
        plainsync_fuzz::sync_message(bytes);
        let mut repaired = bytes.to_vec();
        plainsync_fuzz::repair(&mut repaired);
        if repaired != bytes {
            plainsync_fuzz::sync_message(&repaired);
        }
    }
);
