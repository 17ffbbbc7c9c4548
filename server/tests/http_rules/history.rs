//! The log, versions, differences, the way back, conflicts and snapshots over HTTP: D4, D11, F2.

use serde_json::{Value, json};

use super::support::Server;

/// A server with its document's path.
struct Board {
    server: Server,
    base: String,
}

impl Board {
    async fn start() -> Self {
        let server = Server::start().await;
        let listed = server.get("/api/v1/documents").await.json();
        let id = listed["documents"][0]["id"].as_str().unwrap();
        let base = format!("/api/v1/documents/{id}");
        Self { server, base }
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.server.get(&format!("{}/{path}", self.base)).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.json()
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.try_post(path, body).await;
        assert!(status < 300, "{path}: {status} {answer}");
        answer
    }

    async fn try_post(&self, path: &str, body: Value) -> (u16, Value) {
        let path = format!("{}/{path}", self.base);
        let answer = self.server.json("POST", &path, body).await;
        (answer.status.into(), answer.json())
    }

    async fn refused(&self, path: &str) -> (u16, String) {
        let answer = self.server.get(&format!("{}/{path}", self.base)).await;
        let problem = answer.json();
        let kind = answer.header("content-type").to_owned();
        assert_eq!(kind, "application/problem+json", "{path}");
        (
            answer.status.into(),
            problem["detail"].as_str().unwrap().to_owned(),
        )
    }

    async fn add(&self, prompt: &str) {
        let job = json!({"prompt": prompt});
        let added = self.server.json("POST", "/api/v1/jobs", job).await;
        assert_eq!(added.status, 201, "{}", added.text());
    }

    async fn set(&self, job: &str, fields: Value) {
        let path = format!("/api/v1/jobs/{job}");
        let changed = self.server.json("PATCH", &path, fields).await;
        assert_eq!(changed.status, 200, "{}", changed.text());
    }

    async fn clear(&self) {
        self.server
            .json("POST", "/api/v1/jobs/clear", json!({}))
            .await;
    }

    async fn prompts(&self) -> Vec<String> {
        let listed = self.server.get("/api/v1/jobs").await.json();
        let rows = listed["jobs"].as_array().unwrap().iter();
        let mut prompts: Vec<String> = rows
            .map(|row| row["job"]["prompt"].as_str().unwrap().to_owned())
            .collect();
        prompts.sort_unstable();
        prompts
    }

    /// Takes in a copy of the file as it was, with one prompt edited.
    async fn edit_apart(&self, copy: &Value, prompt: &str) {
        let mut copy = copy.clone();
        copy["jobs"][0]["prompt"] = Value::from(prompt);
        self.post("import", copy).await;
    }
}

#[tokio::test]
async fn d11_a_wrong_clear_is_found_looked_at_and_taken_back() {
    let board = Board::start().await;
    for prompt in ["a knight", "a mage"] {
        board.add(prompt).await;
    }
    board.clear().await;
    board.add("a dragon").await;

    let log = board.get("versions").await;
    let did = |nth: usize| &log["entries"][nth];
    assert_eq!(did(1)["removed"], 2);
    assert_eq!(did(1)["records"][0]["label"], "job-1");
    assert_eq!(did(1)["device"].as_str().unwrap().len(), 16);
    let before = did(2)["version"].as_str().unwrap();
    let paged = board.get("versions?limit=2").await;
    let next = paged["next"].as_str().unwrap();
    let rest = board.get(&format!("versions?limit=2&after={next}")).await;
    assert_eq!(rest["entries"][0], *did(2));

    let then = board.get(&format!("versions/{before}")).await;
    assert_eq!(then["jobs"].as_array().unwrap().len(), 2);
    assert_eq!(then["sync"]["heads"], did(2)["heads"]);
    let diff = board.get(&format!("diff?from={before}")).await;
    assert_eq!((&diff["removed"], &diff["added"]), (&json!(2), &json!(1)));
    assert_eq!(
        diff["records"][0]["fields"][1],
        json!({"field": "prompt", "before": "a knight"})
    );

    let trial = board
        .post("restore", json!({"version": before, "dryRun": true}))
        .await;
    assert_eq!(
        (&trial["restored"], &trial["removed"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(
        board.prompts().await,
        ["a dragon"],
        "a trial changes nothing"
    );
    let done = board.post("restore", json!({ "version": before })).await;
    assert_eq!(
        (&done["restored"], &done["removed"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(board.prompts().await, ["a knight", "a mage"]);

    // What came after is not lost: the version before the way back is one like any.
    board
        .post("restore", json!({"version": done["from"]}))
        .await;
    assert_eq!(board.prompts().await, ["a dragon"]);
    let newest = board.get("versions?limit=1").await;
    assert_eq!(newest["entries"][0]["message"], "restore");
}

#[tokio::test]
async fn d11_one_job_goes_back_and_tells_its_history() {
    let board = Board::start().await;
    board.add("a knight").await;
    board.add("a mage").await;
    let then = board.get("versions?limit=1").await;
    let then = then["entries"][0]["version"].clone();
    board.set("job-1", json!({"prompt": "a king"})).await;
    board.set("job-2", json!({"prompt": "a witch"})).await;
    let history = board.get("versions?job=job-1").await;
    assert_eq!(history["label"], "job-1");
    assert_eq!(history["entries"][0]["happened"], "changed");
    assert_eq!(
        history["entries"][0]["fields"],
        json!([{"field": "prompt", "before": "a knight", "after": "a king"}])
    );
    assert_eq!(history["entries"][1]["happened"], "added");
    let done = board
        .post("restore", json!({"version": then, "job": "job-1"}))
        .await;
    assert_eq!(done["changed"], 1);
    assert_eq!(board.prompts().await, ["a knight", "a witch"]);
}

#[tokio::test]
async fn d11_what_names_no_version_is_told_with_a_reason() {
    let board = Board::start().await;
    board.add("a knight").await;
    for (path, status, reason) in [
        ("versions/abc", 422, "too short"),
        (
            "versions/00000000",
            404,
            "is not in this document's history",
        ),
        ("versions/HEAD~7", 404, "only 0 steps back"),
        ("versions/2001-01-01", 404, "nothing had been written by"),
        ("versions/whatever", 422, "names no version"),
        ("versions?limit=0", 422, "allowed is 1 to 500"),
        (
            "versions?after=00",
            404,
            "is not in this document's history",
        ),
        ("versions?job=job-9", 404, "there is no job"),
        ("diff?from=HEAD&to=zz", 422, "names no version"),
        ("diff", 422, "missing field `from`"),
        ("snapshots/none", 404, "no snapshot `none`"),
    ] {
        let (found, detail) = board.refused(path).await;
        assert!(
            found == status && detail.contains(reason),
            "{path}: {found} {detail}"
        );
    }
    let (status, _) = board.try_post("restore", json!({"version": "zz"})).await;
    assert_eq!(status, 422);
    let (status, _) = board.try_post("restore", json!({"versoin": "HEAD"})).await;
    assert_eq!(status, 422);
}

#[tokio::test]
async fn d4_a_resolution_is_refused_if_a_side_moved() {
    let board = Board::start().await;
    board.add("a knight").await;
    let copy = board.get("export.json").await;
    board.set("job-1", json!({"prompt": "a mage"})).await;
    board.edit_apart(&copy, "a king").await;

    let listed = board.get("conflicts").await;
    let conflict = &listed["conflicts"][0];
    assert_eq!(
        (&conflict["label"], &conflict["field"]),
        (&json!("job-1"), &json!("prompt"))
    );
    let sides = conflict["values"].as_array().unwrap();
    assert_eq!(sides.len(), 2);
    let devices: Vec<_> = sides
        .iter()
        .filter(|side| side["device"].is_string())
        .collect();
    assert_eq!(devices.len(), 1, "one side is the file's");
    let ops: Vec<&Value> = sides.iter().map(|side| &side["op"]).collect();
    let resolution = |choose: &Value, seen: &[&Value]| json!({"job": "job-1", "field": "prompt", "choose": choose, "seen": seen});

    // A third value arrives between the look and the choice.
    board.edit_apart(&copy, "a golem").await;
    let (status, problem) = board.try_post("conflicts", resolution(ops[0], &ops)).await;
    assert_eq!(status, 409, "{problem}");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("look at it again")
    );
    assert_eq!(problem["type"], "/api/docs#conflict");

    let listed = board.get("conflicts").await;
    let sides = listed["conflicts"][0]["values"].as_array().unwrap();
    let ops: Vec<&Value> = sides.iter().map(|side| &side["op"]).collect();
    assert_eq!(ops.len(), 3);
    let row = board.post("conflicts", resolution(ops[0], &ops)).await;
    assert_eq!(row["job"]["prompt"], sides[0]["value"]);
    assert_eq!(board.get("conflicts").await["conflicts"], json!([]));
    // The same answer again comes too late.
    let (status, _) = board.try_post("conflicts", resolution(ops[1], &ops)).await;
    assert_eq!(status, 409);
}

#[tokio::test]
async fn d4_a_resolution_may_be_another_value_but_not_a_wrong_one() {
    let board = Board::start().await;
    board.add("a knight").await;
    let copy = board.get("export.json").await;
    board.set("job-1", json!({"prompt": "a mage"})).await;
    board.edit_apart(&copy, "a king").await;
    let listed = board.get("conflicts").await;
    let sides = listed["conflicts"][0]["values"].as_array().unwrap();
    let seen: Vec<&Value> = sides.iter().map(|side| &side["op"]).collect();
    let with = |rest: Value| {
        let mut body = json!({"job": "job-1", "field": "prompt", "seen": seen});
        body.as_object_mut()
            .unwrap()
            .extend(rest.as_object().unwrap().clone());
        body
    };
    for bad in [
        json!({}),
        json!({"value": ""}),
        json!({"value": "x", "choose": seen[0]}),
        json!({"choose": "1@00"}),
        json!({"field": "run", "value": "x"}),
    ] {
        let (status, problem) = board.try_post("conflicts", with(bad.clone())).await;
        assert_eq!(status, 422, "{bad}: {problem}");
    }
    let row = board
        .post("conflicts", with(json!({"value": "a queen"})))
        .await;
    assert_eq!(row["job"]["prompt"], "a queen");
}

#[tokio::test]
async fn f2_a_version_is_kept_under_a_name_and_returned_to() {
    let board = Board::start().await;
    board.add("a knight").await;
    let kept = board
        .post("snapshots", json!({"label": "before-the-move"}))
        .await;
    assert_eq!(kept["label"], "before-the-move");
    board.clear().await;
    let text = board.get("snapshots/before-the-move").await;
    assert_eq!(text["jobs"][0]["prompt"], "a knight");
    let listed = board.get("snapshots").await;
    let names: Vec<_> = listed["snapshots"].as_array().unwrap().iter().collect();
    assert!(names.contains(&&kept), "{listed}");
    board
        .post("snapshots/before-the-move/restore", json!({}))
        .await;
    assert_eq!(board.prompts().await, ["a knight"]);
    let (status, problem) = board.try_post("snapshots", json!({"label": "../x"})).await;
    assert_eq!(status, 422, "{problem}");
}
