//! Word lists: the words that the lexicon knows, parted by blanks.

/// Grammar words of English.
pub const FUNCTION: &str = "
a about above across after again against ago ain't all along also although always am amid among amongst an and
another any anybody anyone anything anyway anywhere are aren't around as aside at away be because been before behind
being below beneath beside besides between beyond both but by can can't cannot could couldn't couldn despite did didn't
do does doesn't doing don't done down due during each either else enough etc even ever every everybody everyone
everything everywhere except few for from further had hadn't has hasn't have haven't having he he'd he'll her here
hers herself him himself his hence how how's however i i'd i'll i'm i've if in indeed inside instead into is isn't it
it'd it'll its itself just least less lest let let's like likely many may maybe me might mine more moreover most mostly
much must mustn't my myself near neither never nevertheless next no nobody none nonetheless nor not nothing now nowhere
of off often on once one one's ones only onto or other others otherwise ought our ours ourselves out outside over own
per perhaps please plus quite rather same shall she she'd she'll should shouldn't since so some somebody somehow someone
something sometimes somewhat somewhere soon still such than that that'll that's the their theirs them themselves then
thence there there's thereby therefore these they they'd they'll they're they've thing this those though through
throughout thus till to together too toward towards under unless unlike until up upon us very via vs was wasn't we we'd
we'll we're we've were weren't what what's whatever when whenever where whereas whereby wherever whether which whichever
while who who'd who's whoever whole whom whose why will with within without won't would wouldn't yes yet you you'd
you'll you're you've your yours yourself yourselves e.g i.e eg ie cf et al okay ok oh hi hey hello yeah dear thank thanks
mr mrs ms dr prof sir a.m p.m am pm etc vs monday tuesday wednesday thursday friday saturday sunday january february april
june july august september october november december
";

/// Common verbs, in their base form; endings are folded before the look-up.
pub const VERBS: &str = "
accept achieve add admire adopt agree allow announce appear apply argue arrive ask assume attend avoid become begin
believe belong break bring build buy call cancel care carry check choose cite click come compare complete compute
confirm connect consider consist contain continue create cut deal decide define deliver depend describe detect
determine develop differ discover discuss do download draw drop eat emit enable encourage end enforce enjoy ensure
enter establish exceed execute exist expand expect explain expose express face fail fall feel fetch figure fill find
finish fit follow forget gain gather generate get give go grow handle happen hate hear help hit hold hope identify
ignore imagine improve include increase indicate inform install intend introduce invite involve join keep know lack
last lead learn leave lend lie like listen live look lose love make manage matter mean meet mention migrate mind miss
move need notice observe obtain occur open own pass pay perform pick play prefer prepare prevent proceed produce
promise prove provide publish pull put raise reach read realize receive recommend reduce refer reflect refuse reject
relate rely remain remember remind remove repeat replace reply represent require resolve respond return reveal rise
run satisfy save say see seek seem select sell send serve settle share show sit sleep solve speak spend stand start
stay stop strip submit succeed suffer suggest suppose surround take talk tell tend think treat try turn understand
upgrade upload use verify wait walk want warn wash watch wear win wish wonder work worry write yield
";

/// Verb forms that no ending explains, common adverbs and adjectives, and nouns that name no subject.
pub const GENERIC: &str = "
ate became began begun bought broke broken brought built came caught chose chosen drawn drew drove eaten fallen fell felt
forgot forgotten found gave given gone got gotten grew grown heard held hidden kept knew known laid lain led left lent
lost made meant met paid proved put ran risen rose said sang sat saw seen sent shown shut slept sold sought spent spoke
spoken stood stuck taken taught thought threw told took understood went woke won wore worn wrote written
able actual additional afraid alone already amazing another apart available aware bad basic best better big bigger biggest
certain clear close comfortable complete considerable correct current different difficult direct dozen easy easier
efficient entire equal essential exact excellent extra fair familiar famous favorite favourite fine first following
former fourth frequent full fun funny further general glad good great greater greatest happy hard heavy huge hundred
ideal immediate important impossible impressive initial instant interested interesting key kind large larger largest
last late later latest latter left little long longer lot lots lower main major medium million minor modern multiple
necessary new newer nice normal numerous obvious old older original particular past perfect plain popular possible
potential powerful present pretty previous primary principal proper quick rare ready real recent regular relevant right
rough same second separate serious several short shorter similar simple single small smaller smallest sorry special
specific standard strange strong successful sudden sufficient suitable sure tall third thorough thousand tiny top total
true two typical unable unique unlike unusual upper useful usual valid various vast weak whole wide willing wonderful
wrong young younger billion three four five six seven eight nine ten almost forever
fifth sixth seventh eighth ninth tenth consecutive percent percentage pioneering tenfold
ahead back backwards else elsewhere far fast faster forth forward forwards halfway hardly maybe nearby nowadays seldom
sometime straight today tomorrow tonight twice upstairs yesterday
amount aspect bit case chance couple day example fact hour idea instance item kind least lot manner minute moment month number part people person piece place point problem question reason rest result side sort
stuff term thing time times type use usage variety way week weekend word year yesterday morning afternoon evening night
";

/// Adjectives and participles that begin a keyword.
pub const MODIFIER: &str = "
active advanced alternative annual automatic average black blue central clean cold common complex constant cross
daily dark deep default detailed digital distributed double dry early electric empty equal external fixed foreign free
global green half heavy hidden high higher highest hot human internal international joint junior large-scale lightweight
live local long-term low lowest mass maximum mean middle minimum monthly mutual narrow national native natural negative
northern open optional parallel partial permanent personal physical positive private public pure quiet random rapid raw
real-time red remote rich royal safe secondary secure senior shared sharp slow smooth social soft solid southern stable
static strict sub super sweet temporary thick thin tight traditional ultra universal urban vertical virtual visual
warm weekly western wet white wild yearly
";

/// Grammar words of German, French, Spanish, Italian, Portuguese, Dutch and Russian that mean nothing in English.
pub const FOREIGN: &str = "
der die das und ist nicht ein eine einen einem einer eines zu mit auf für von dem des den sich auch hat haben hatte wird
werden wurde wurden bis als bei nach aus wie oder aber wenn wir ihr ihre sein seine sind kann soll um über durch
vor zum zur noch nur mehr sehr diese dieser dieses es er
le la les un une des du et est dans que qui pour sur avec pas ce cette ces il elle nous vous ils sont au aux par mais
ou où leur leurs son sa ses été être avoir fait comme très aussi
el los las una unos unas y o de del en se su sus es con para por como más pero al lo le ha han fue son está están
muy también sobre entre cuando desde
il lo gli uno di che è non per con sono della delle dei degli nel nella come più anche ma si alla dal
os uma dos das no na nos nas em um não é são foi ao à pelo pela mais com seu sua
het een van en te dat niet zijn voor met ook aan bij door maar naar wordt worden deze heeft
и в во не на я он она оно они мы вы с со как а то все всё так его её их но да ты к у же за бы по только ее мне было вот от
меня еще ещё нет о из ему теперь когда даже ну ли если уже или ни быть был была были для до при это этот эта эти чтобы
что кто где который которые более
";

/// Units as they are written after a number.
pub const UNITS: &str = "g kg mg l dl cl ml m cm mm km h min s ms gb mb kb tb";

/// Words between which and a noun stands no verb: what comes before one and is no name is a verb.
pub const DETERMINERS: &str = "the a an my your his her their our its this these those";

/// Words that a verb follows.
pub const VERB_MARKERS: &str = "
i you he she we they who will would can could should must might may cannot can't couldn't won't wouldn't don't doesn't
didn't i'll you'll he'll she'll we'll they'll i've we've they've let's
";

/// Chinese characters that join words and are seldom part of one.
pub const HAN_FUNCTION: &str =
    "的了在是和与及或也都就而但被把让给对从到于由以为因所其这那哪此每某个们我你他她它您不没很更最太又再\
                            还只才要有着得之吗呢吧啊呀哦嗯等些么怎谁几并且则若将已曾正会可需";

/// Chinese words of two characters that join others.
pub const HAN_PAIRS: &str = "可以 因为 所以 但是 如果 我们 你们 他们 她们 它们 自己 可能 应该 需要 没有 什么 已经 正在 以及 并且 而且 \
                         或者 虽然 然后 通过 进行 使用 一个 这个 那个 一种 这种 一些 这些 那些 非常 时候 现在 目前 今天 明天 \
                         昨天 其中 之后 之前 以后 以前 同时 此外 另外 例如 比如 由于 关于 根据 为了 能够 必须 开始 成为 一起 \
                         一直 许多 很多 大量 所有 之间 还是 只是 不是 就是 都是";
