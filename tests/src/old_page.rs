//! The old dashboard as far as its list is concerned: it loads once, and after each step of its user
//! posts all that it has.
//!
//! ```no_run
//! # async fn example(server: &plainsync_tests::served::Served) {
//! use plainsync_tests::old_page::OldPage;
//! let mut page = OldPage::new("Firefox");
//! page.load(server).await;
//! page.job_mut("job-1")["prompt"] = "a knight".into();
//! page.save(server).await.ok();
//! # }
//! ```

use serde_json::{Value, json};

use crate::served::{Answer, Served};

/// See the module's text.
#[derive(Clone, Debug)]
pub struct OldPage {
    agent: String,
    /// What the browser keeps of the server's cookie; `None` loses it.
    pub cookie: Option<String>,
    /// Its list.
    pub jobs: Vec<Value>,
    /// The next number that it gives.
    pub last_job_id: u64,
}

impl OldPage {
    /// A page in a browser that calls itself `agent`; it has nothing yet.
    #[must_use]
    pub fn new(agent: &str) -> Self {
        Self {
            agent: agent.to_owned(),
            cookie: None,
            jobs: Vec::new(),
            last_job_id: 1,
        }
    }

    /// Loads the server's list in place of its own.
    pub async fn load(&mut self, server: &Served) -> Answer {
        let answer = self.send(server, "GET", "/load-jobs", String::new()).await;
        let loaded = answer.ok();
        self.jobs = loaded["jobs"].as_array().expect("jobs").clone();
        self.last_job_id = loaded["lastJobId"].as_u64().expect("a number");
        answer
    }

    /// Posts its list.
    pub async fn save(&mut self, server: &Served) -> Answer {
        let list = json!({"jobs": self.jobs, "lastJobId": self.last_job_id});
        self.send(server, "POST", "/save-jobs", list.to_string())
            .await
    }

    /// Adds a job under the number that it believes to be free.
    pub fn add(&mut self, created_at: u64, prompt: &str) {
        let id = format!("job-{}", self.last_job_id);
        self.last_job_id += 1;
        self.jobs.push(json!({"id": id, "prompt": prompt, "width": 64, "height": 64, "seed": null, "status": "idle",
            "result": null, "error": null, "startTime": null, "endTime": null, "duration": null, "createdAt": created_at}));
    }

    /// The job that it shows as `id`.
    pub fn job_mut(&mut self, id: &str) -> &mut Value {
        let found = self.jobs.iter_mut().find(|job| job["id"] == id);
        found.unwrap_or_else(|| panic!("no {id}"))
    }

    async fn send(&mut self, server: &Served, method: &str, path: &str, body: String) -> Answer {
        let mut headers = vec![
            ("content-type", "application/json"),
            ("user-agent", self.agent.as_str()),
        ];
        headers.extend(self.cookie.as_deref().map(|cookie| ("cookie", cookie)));
        let answer = server.send(method, path, &headers, body).await;
        let given = answer.header("set-cookie").split(';').next();
        if let Some(given) = given.filter(|given| !given.is_empty()) {
            self.cookie = Some(given.to_owned());
        }
        answer
    }
}
