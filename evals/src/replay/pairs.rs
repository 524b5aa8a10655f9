//! The parameters of a request.

/// Names and values, in their order. An empty value is as good as none.
#[derive(Clone)]
pub(super) struct Pairs(Vec<(String, String)>);

impl Pairs {
    /// Of texts as `a=1&b=2`: the query of a URL, and what a form adds.
    pub(super) fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut pairs = Vec::new();
        for text in texts {
            if let Ok(url) = reqwest::Url::parse(&format!("http://replay/?{text}")) {
                pairs.extend(url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())));
            }
        }
        Self(pairs)
    }

    /// All values of a name.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(key, value)| key == name && !value.is_empty());
        named.map(|(_, value)| value.as_str())
    }

    /// All of them.
    pub(super) fn all_of(&self) -> &[(String, String)] {
        &self.0
    }

    /// Gives a name another value, and no second one.
    pub(super) fn set(&mut self, name: &str, value: String) {
        self.0.retain(|(key, _)| key != name);
        self.0.push((name.to_owned(), value));
    }

    /// The first value of a name.
    pub(super) fn get<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next()
    }
}
