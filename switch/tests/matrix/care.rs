//! The care of terminals (39 to 48), at a programme that has nothing to hand out: what it has not, it
//! does not offer. What is answered where it has is in the tests of `care`.

scripts! {
    care_that_there_is_nothing_for: "
        39 parameters      2 cold        | 40
        39 parameters-end  2 cold        | 40
        40 status          2 cold        | 30
        41 ca-query        2 cold        | 40
        41 ca              2 cold        | 30
        41 ca-end          2 cold        | 40
        41 ca-sm2          2 cold        | 40
        42 ic-query        2 cold        | 40
        42 ic              2 cold        | 30
        42 ic-end          2 cold        | 40
        43 blacklist       2 cold        | 40
        43 blacklist-end   2 cold        | 40
        44 contactless     2 cold        | 40
        44 contactless-end 2 cold        | 40
        44 bins            2 cold        | 40
        44 bins-end        2 cold        | 40
        44 bins-b          2 cold        | 40
        44 bins-b-end      2 cold        | 40
        45 points-sign-on  2 cold        | 40
        46 signature       2 cold        | 40
        47 rates           2 cold        | 40
        48 tmk             2 cold        | 58
        48 tmk-load        2 cold        | 30
        48 tmk-use         2 cold        | 30
    ";
}
