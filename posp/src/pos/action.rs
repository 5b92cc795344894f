//! What the terminal can be asked to do.

use clap::Subcommand;
use loadtest::fen::FEN_MAX;
use loadtest::terminal::SignOn;
use loadtest::{Fen, HolderCheck, IdDocument, Pin, Stan};

use super::args::{
    CardArgs, HoldArgs, PayArgs, Quiet, RefundArgs, SchemeArg, read_product, read_sign_on,
};

/// What the terminal is to do.
#[derive(Subcommand, Debug)]
pub(super) enum Action {
    #[command(flatten)]
    Plain(Plain),
    #[command(flatten)]
    WithCard(WithCard),
    #[command(flatten)]
    Undo(Undo),
    #[command(flatten)]
    OfHold(OfHold),
    #[command(flatten)]
    Decided(Decided),
    /// Give money of an earlier sale back.
    Refund(RefundArgs),
    /// Give money of an earlier sale by mail or telephone back.
    MotoRefund {
        #[command(flatten)]
        refund: RefundArgs,
        /// What stands for the holder (F62).
        #[arg(long, value_name = "TEXT")]
        check: Option<Quiet<HolderCheck>>,
    },
    /// Put cash onto a card: its account is verified first. Without an answer the top-up is
    /// confirmed, not reversed.
    TopUp {
        #[command(flatten)]
        card: CardArgs,
        /// In yuan, with two decimals.
        #[arg(long)]
        amount: Fen,
        /// The document of who brings the cash: two digits of its type, its number.
        #[arg(long, value_name = "TYPE:NUMBER")]
        document: Option<Quiet<IdDocument>>,
    },
    /// Pay one bill with several cards, and perhaps cash: a card that has too little pays what it
    /// has. If all of them do not suffice, what was paid is voided.
    Pay(PayArgs),
}

/// Requests that name no transaction.
#[derive(Subcommand, Debug)]
pub(super) enum Plain {
    /// Fetch working keys.
    SignOn {
        /// What to ask for (F60.3): 001, 003, 004, 005 or 006.
        #[arg(long, value_parser = read_sign_on)]
        ask: Option<SignOn>,
    },
    /// Give the working keys up.
    SignOff,
    /// Ask whether anybody is there.
    Echo,
    /// Settle the open batch; totals that differ are explained by an upload.
    Settle,
    /// Tell the host what it has not been told: offline sales, tips, completions, scripts.
    Tell,
}

/// Requests with a card, answered at once.
#[derive(Subcommand, Debug)]
pub(super) enum WithCard {
    /// Ask what a card may spend.
    Balance {
        #[command(flatten)]
        card: CardArgs,
    },
    /// Sell.
    Sale {
        #[command(flatten)]
        card: CardArgs,
        /// In yuan, with two decimals.
        #[arg(long)]
        amount: Fen,
        /// Take less than that if the card has less (F60.6).
        #[arg(long)]
        partial: bool,
    },
    /// Hold money, to be taken later.
    PreAuth {
        #[command(flatten)]
        card: CardArgs,
        /// In yuan, with two decimals.
        #[arg(long)]
        amount: Fen,
    },
    /// Ask how many points a card has.
    Points {
        #[command(flatten)]
        card: CardArgs,
    },
    /// Sell for points.
    PointsSale {
        #[command(flatten)]
        card: CardArgs,
        /// How many.
        #[arg(long, value_parser = clap::value_parser!(u64).range(1..=FEN_MAX))]
        points: u64,
        /// Whose.
        #[arg(long, value_enum, default_value = "union")]
        scheme: SchemeArg,
        /// The code of what is sold (F62).
        #[arg(long, default_value = "", value_parser = read_product)]
        product: String,
    },
    /// Sell by mail or telephone: the number is typed, and there is no PIN.
    MotoSale {
        #[command(flatten)]
        card: CardArgs,
        /// In yuan, with two decimals.
        #[arg(long)]
        amount: Fen,
        /// What stands for the holder (F62), such as the number on the back of the card.
        #[arg(long, value_name = "TEXT")]
        check: Option<Quiet<HolderCheck>>,
    },
    /// Ask whether, and how much, cash may go onto a card.
    VerifyAccount {
        #[command(flatten)]
        card: CardArgs,
        /// The document of who brings the cash: two digits of its type, its number.
        #[arg(long, value_name = "TYPE:NUMBER")]
        document: Option<Quiet<IdDocument>>,
    },
    /// Make a card usable.
    Activate {
        #[command(flatten)]
        card: CardArgs,
    },
    /// Give a card another PIN; the old one is typed too.
    ChangePin {
        #[command(flatten)]
        card: CardArgs,
        /// The new PIN.
        #[arg(long, value_name = "PIN", env = "POSP_POS_NEW_PIN", hide_env_values = true)]
        new_pin: Quiet<Pin>,
    },
}

/// Requests that undo what a slip of the open batch says.
#[derive(Subcommand, Debug)]
pub(super) enum Undo {
    /// Undo a sale of the open batch.
    Void {
        /// The trace number of the sale.
        #[arg(long, value_name = "STAN")]
        of: Stan,
    },
    /// Undo a completion of the open batch; its pre-authorisation holds again.
    CompletionVoid {
        /// The trace number of the completion.
        #[arg(long, value_name = "STAN")]
        of: Stan,
    },
    /// Undo a points sale of the open batch.
    PointsVoid {
        /// The trace number of the points sale.
        #[arg(long, value_name = "STAN")]
        of: Stan,
    },
    /// Undo a sale by mail or telephone of the open batch.
    MotoVoid {
        /// The trace number of the sale.
        #[arg(long, value_name = "STAN")]
        of: Stan,
    },
    /// Reverse a transaction of the open batch, as a terminal in trouble would.
    Reverse {
        /// The trace number of the transaction.
        #[arg(long, value_name = "STAN")]
        of: Stan,
    },
}

/// Requests about money that is held.
#[derive(Subcommand, Debug)]
pub(super) enum OfHold {
    /// Hold more for the same purpose.
    AddPreAuth {
        #[command(flatten)]
        hold: HoldArgs,
        /// What is held in addition, in yuan, with two decimals.
        #[arg(long)]
        amount: Fen,
    },
    /// Let go what a pre-authorisation holds, and what was added to it.
    PreAuthVoid {
        #[command(flatten)]
        hold: HoldArgs,
        /// What is held in all; slips that are kept know it.
        #[arg(long, required_unless_present = "of")]
        held: Option<Fen>,
    },
    /// Take what a pre-authorisation holds.
    Complete {
        #[command(flatten)]
        hold: HoldArgs,
        /// What is taken, in yuan, with two decimals; the rest is let go.
        #[arg(long)]
        amount: Fen,
        /// Do not ask: tell (0220). Without an answer it is told again.
        #[arg(long)]
        advice: bool,
    },
}

/// What the terminal decides itself and tells the host.
#[derive(Subcommand, Debug)]
pub(super) enum Decided {
    /// Sell without asking, and tell the host. Without an answer it is told again.
    OfflineSale {
        #[command(flatten)]
        card: CardArgs,
        /// In yuan, with two decimals.
        #[arg(long)]
        amount: Fen,
        /// The authorisation code somebody gave by telephone (F38): six characters.
        #[arg(long, value_name = "CODE")]
        approval: String,
    },
    /// Sell from the money on a chip, and tell the host.
    ECash {
        #[command(flatten)]
        card: CardArgs,
        /// In yuan, with two decimals.
        #[arg(long)]
        amount: Fen,
    },
    /// Give an offline sale of the open batch another amount.
    Adjust {
        /// The trace number of the sale.
        #[arg(long, value_name = "STAN")]
        of: Stan,
        /// Its new amount, in yuan, with two decimals.
        #[arg(long)]
        amount: Fen,
        /// The tip in it.
        #[arg(long)]
        tip: Option<Fen>,
    },
    /// Add a tip to a sale of the open batch.
    Tip {
        /// The trace number of the sale.
        #[arg(long, value_name = "STAN")]
        of: Stan,
        /// In yuan, with two decimals; it comes on top of the amount.
        #[arg(long)]
        tip: Fen,
    },
}
