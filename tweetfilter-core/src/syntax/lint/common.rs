//! Very common words of the languages that most posts are written in.

/// Folded, without one-sided accents, sorted. A filter that asks only for these is tried on very many posts.
#[rustfmt::skip]
static COMMON: &[&str] = &[
    "a", "about", "ada", "aja", "aku", "al", "ale", "all", "am", "ama", "an", "and", "are",
    "as", "at", "au", "auch", "auf", "aux", "avec", "be", "been", "ben", "bir", "bisa", "bu",
    "but", "by", "can", "ce", "cette", "che", "ci", "co", "cok", "com", "come", "como", "con",
    "da", "daha", "dan", "dans", "dari", "das", "dat", "de", "del", "della", "dem", "den",
    "dengan", "der", "des", "di", "die", "do", "dos", "du", "e", "een", "ein", "eine", "el",
    "ela", "ele", "elle", "em", "en", "er", "es", "est", "et", "eu", "for", "from", "fur",
    "gak", "get", "gibi", "gli", "has", "have", "he", "het", "hij", "i", "ich", "icin", "if",
    "ihr", "ik", "il", "ile", "im", "in", "ini", "is", "ist", "it", "its", "itu", "ja", "jak",
    "je", "jest", "just", "kamu", "ke", "la", "las", "le", "les", "like", "lo", "los", "ma",
    "maar", "mais", "mas", "mau", "me", "met", "meu", "mi", "minha", "mit", "mon", "muito",
    "muy", "my", "na", "nao", "nas", "ne", "nicht", "nie", "niet", "no", "noch", "non", "nos",
    "not", "nous", "o", "oder", "of", "on", "ook", "op", "or", "os", "ou", "out", "par",
    "para", "pas", "per", "pero", "piu", "po", "por", "pour", "que", "qui", "rt", "saya",
    "se", "sen", "she", "si", "sie", "sind", "so", "sono", "sont", "su", "sur", "te", "that",
    "the", "they", "this", "ti", "tidak", "to", "tu", "um", "uma", "un", "una", "und", "une",
    "untuk", "up", "van", "var", "ve", "voce", "von", "voor", "vous", "w", "war", "was", "we",
    "what", "wie", "will", "wir", "with", "y", "ya", "yang", "yo", "yok", "you", "your", "z",
    "ze", "zijn", "zu", "а", "в", "вы", "за", "и", "из", "к", "как", "мы", "на", "не", "но",
    "он", "она", "по", "с", "так", "то", "у", "что", "это", "я", "از", "است", "الله", "الي",
    "ان", "اين", "با", "براي", "به", "در", "را", "علي", "في", "كل", "كه", "لا", "ما", "مع",
    "من", "هذا", "هو", "و", "يا", "और", "का", "की", "के", "को", "ने", "पर", "में", "से", "है",
    "ก", "น", "ม", "ร", "า", "เ", "い", "う", "か", "が", "さ", "し", "す", "た", "て", "で", "と", "な",
    "に", "ね", "の", "は", "ま", "も", "よ", "る", "れ", "を", "ん", "一", "不", "了", "人", "他", "你", "在",
    "我", "是", "有", "的", "这", "가", "고", "나", "는", "다", "도", "에", "은", "을", "이", "지", "하",
];

/// Whether a folded token is one of the very common words.
pub(crate) fn is_common(token: &str) -> bool {
    COMMON.binary_search(&token).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::pattern;

    #[test]
    fn words_are_sorted_folded_single_tokens() {
        assert!(COMMON.is_sorted());
        for word in COMMON {
            let found = pattern(word, false).expect("no wildcards");
            assert!(found.terms.len() == 1 && found.terms[0].folded == *word, "{word}: {found:?}");
        }
    }
}
