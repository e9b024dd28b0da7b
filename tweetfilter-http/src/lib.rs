//! Parts of the `tweetfilter` server that others can embed.
