//! What filters refer to, stated to the builder of their set. Workers and whoever else compiles filters of an account do it
//! here, so that a filter is explained, previewed and priced as what it is where posts come in.

use tweetfilter_core::post::Account;
use tweetfilter_core::{FilterSetBuilder, Identity, OwnerId};

/// An account as an owner of filters.
#[must_use]
pub fn owner(account: i64) -> OwnerId {
    OwnerId(account.cast_unsigned())
}

/// States what the filters of all accounts refer to: lists, by name with their terms, and whose handles are, each with
/// its network.
pub fn state_shared<'s>(
    builder: &mut FilterSetBuilder,
    sets: impl IntoIterator<Item = &'s (String, String)>,
    handles: impl IntoIterator<Item = &'s (String, Account)>,
) {
    for (name, terms) in sets {
        // Filters that name a list which is refused say so themselves.
        let _ = builder.named_set(name, terms);
    }
    for (network, known) in handles {
        builder.handle(network, known);
    }
}

/// States an account as the owner of its filters, with who it is on networks.
pub fn state_account(builder: &mut FilterSetBuilder, account: i64, identities: &[(String, Account)]) {
    let identity =
        |(network, known): &(String, Account)| Identity { network: network.clone(), account: known.clone() };
    builder.owner(owner(account), identities.iter().map(identity).collect());
}

/// States a list that the filters of one account refer to.
pub fn state_own_set(builder: &mut FilterSetBuilder, account: i64, name: &str, terms: &str) {
    let _ = builder.owner_set(owner(account), name, terms);
}
