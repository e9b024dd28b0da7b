//! Whose a buffer is: what is taken out of it comes into one store, and is lost to any other.

use super::reply::read;
use super::{LAYOUT, RedisBuffer, script};
use crate::buffer::BufferError;

impl RedisBuffer {
    /// Has a store have the buffer, by a name that no other store has. It has it from then on.
    ///
    /// # Errors
    /// [`BufferError::Unfit`] if another store has it, with the way out; [`BufferError::Away`].
    pub async fn claim_for(&self, store: &str) -> Result<(), BufferError> {
        match &*self.owner(store).await? {
            owner if owner == store => Ok(()),
            _ => Err(of_another()),
        }
    }

    /// Makes sure that no other store has it.
    ///
    /// # Errors
    /// As [`RedisBuffer::claim_for`].
    pub async fn check_owner(&self, store: Option<&str>) -> Result<(), BufferError> {
        match &*self.owner("").await? {
            "" => Ok(()),
            owner if Some(owner) == store => Ok(()),
            _ => Err(of_another()),
        }
    }

    /// The store that has it, the empty one if none does; where none does yet, this one, unless it is the empty one.
    async fn owner(&self, store: &str) -> Result<String, BufferError> {
        let owner = self.run(&script::OWN, "", |call| {
            self.partition_keys(call);
            call.arg(store);
        });
        read(&owner.await?)
    }
}

fn of_another() -> BufferError {
    BufferError::Unfit(format!(
        "the buffer is that of another store, which would lose what is taken out of it here: name that store by --database, or give \
         this one a buffer of its own by --buffer, such as another database of the same Redis (redis://HOST/1). If that store is no more, \
         stop everything, and `redis-cli HDEL {LAYOUT} store`: whichever works next has the buffer"
    ))
}
