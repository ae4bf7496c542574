"""Attributes that TMF622 Product Ordering alone has (see engine.attributes)."""

TABLE = """
CancelProductOrder: id href cancellationReason effectiveCancellationDate:time
  requestedCancellationDate:time productOrder:ProductOrderRef! state:TaskStateType
Note: id author date:time text!
OrderItemRelationship: id relationshipType
OrderPrice: description name priceType recurringChargePeriod unitOfMeasure
  billingAccount:BillingAccountRef price:Price priceAlteration:PriceAlteration*
  productOfferingPrice:ProductOfferingPriceRef
OrderTerm: description name duration:Quantity
ProductOrder: id href cancellationDate:time cancellationReason category completionDate:time
  description expectedCompletionDate:time externalId notificationContact orderDate:time priority
  requestedCompletionDate:time requestedStartDate:time agreement:AgreementRef*
  billingAccount:BillingAccountRef channel:RelatedChannel* note:Note* orderTotalPrice:OrderPrice*
  payment:PaymentRef* productOfferingQualification:ProductOfferingQualificationRef*
  productOrderItem:ProductOrderItem*! quote:QuoteRef* relatedParty:RelatedParty*
  state:ProductOrderStateType
ProductOrderItem: id! quantity:whole action:OrderItemActionType! appointment:AppointmentRef
  billingAccount:BillingAccountRef itemPrice:OrderPrice* itemTerm:OrderTerm*
  itemTotalPrice:OrderPrice* payment:PaymentRef* product:ProductRefOrValue
  productOffering:ProductOfferingRef
  productOfferingQualificationItem:ProductOfferingQualificationItemRef
  productOrderItem:ProductOrderItem* productOrderItemRelationship:OrderItemRelationship*
  qualification:ProductOfferingQualificationRef* quoteItem:QuoteItemRef
  state:ProductOrderItemStateType
ProductOrderItemStateType = acknowledged | rejected | pending | held | inProgress | cancelled |
  completed | failed | assessingCancellation | pendingCancellation
ProductOrderRef: id! href name @referredType
ProductOrderStateType = acknowledged | rejected | pending | held | inProgress | cancelled |
  completed | failed | partial | assessingCancellation | pendingCancellation
ProductRefOrValue: id href description isBundle:flag isCustomerVisible:flag name orderDate:time
  productSerialNumber startDate:time terminationDate:time agreement:AgreementItemRef*
  billingAccount:BillingAccountRef place:RelatedPlaceRefOrValue* product:ProductRefOrValue*
  productCharacteristic:Characteristic* productOffering:ProductOfferingRef
  productOrderItem:RelatedProductOrderItem* productPrice:ProductPrice*
  productRelationship:ProductRelationship* productSpecification:ProductSpecificationRef
  productTerm:ProductTerm* realizingResource:ResourceRef* realizingService:ServiceRef*
  relatedParty:RelatedParty* status:ProductStatusType @referredType
ProductRelationship: relationshipType! product:ProductRefOrValue!
QuoteItemRef: id! href name quoteHref quoteId! quoteName @referredType
QuoteRef: id! href name @referredType
RelatedChannel: id! href name role @referredType
RelatedParty: id! href name role @referredType!
TaskStateType = acknowledged | terminatedWithError | inProgress | done
"""
